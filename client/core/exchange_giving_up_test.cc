// Timeouts and Cancel.
#include "client/core/failure.h"
#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using absl::StatusCode;
using rendezvous::v1::Mood;
using rendezvous::v1::MOOD_LONELY;

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
std::string Text(const absl::Status& status) { return std::string(status.message()); }

TEST(ExchangeGivingUpTest, TimeoutOfOneThatNobodyJoined) {
  World w;
  StartAlice(w);
  w.Run();
  EXPECT_EQ(w.alice.failure().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kTimeout);
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{MOOD_LONELY});
  EXPECT_TRUE(w.alice.over);
  EXPECT_GE(w.now(), Seconds(1180));
  EXPECT_LT(w.now(), Seconds(1181));
}

TEST(ExchangeGivingUpTest, TimeoutOfAnUnreachableRelay) {
  World w;
  w.relay_down = true;
  ExchangeConfig config = InitiatorConfig();
  StartAlice(w, config);
  w.Run();
  EXPECT_EQ(w.alice.failure().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kUnreachable);
  EXPECT_TRUE(Contains(Text(w.alice.failure()), "connection refused")) << w.alice.failure();
  EXPECT_FALSE(Contains(Text(w.alice.failure()), "public relay"));
  EXPECT_TRUE(w.alice.over);
  // Every half second, give or take a tenth, for three minutes.
  EXPECT_GT(w.alice.opens.size(), 180u / 0.5 / 1.2);
  EXPECT_LT(w.alice.opens.size(), 180u / 0.5 * 1.2);
}

// What the transport says of a relay that waiting does not bring.
absl::Status Hopeless() {
  return WithDetails(Failure(Reason::kUnreachable, StatusCode::kFailedPrecondition,
                             "give the authority of the relay, " + std::string(300, 'x')),
                     "the library's words");
}

TEST(ExchangeGivingUpTest, ARelayThatCannotBeReachedByWaitingEndsItAtOnce) {
  World w;
  w.refuse_open = [] { return Hopeless(); };
  StartAlice(w);
  w.Run();
  EXPECT_EQ(w.alice.failure().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kUnreachable);
  EXPECT_EQ(w.alice.failure().message(), Hopeless().message());
  EXPECT_EQ(DetailsOf(w.alice.failure()), "the library's words");
  EXPECT_TRUE(w.alice.over);
  EXPECT_LT(w.now(), Seconds(1001));
  EXPECT_EQ(w.alice.opens.size(), 1u);
}

// Somebody may mend it while an exchange of days goes on.
TEST(ExchangeGivingUpTest, ARelayThatWasThereIsWaitedFor) {
  World w;
  bool broken = false;
  w.refuse_open = [&broken]() -> std::optional<absl::Status> {
    if (broken) return Hopeless();
    return std::nullopt;
  };
  StartAlice(w);
  w.After(Seconds(60), [&] {
    broken = true;
    w.alice.LoseStream();
  });
  w.After(Seconds(120), [&] {
    broken = false;
    StartBob(w);
  });
  w.Run();
  EXPECT_TRUE(w.alice.failures.empty()) << w.alice.failure();
  EXPECT_EQ(w.alice.data.size(), 1u);
}

TEST(ExchangeGivingUpTest, WhatTheTransportSaysComesWholeAndWithItsDetails) {
  World w;
  const std::string text = "check the network: " + std::string(300, 'x');
  w.refuse_open = [&text] {
    return WithDetails(Failure(Reason::kUnreachable, StatusCode::kUnavailable, text), "c-ares");
  };
  StartAlice(w);
  w.Run();
  EXPECT_EQ(w.alice.failure().code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Text(w.alice.failure()).starts_with(text)) << w.alice.failure();
  EXPECT_EQ(DetailsOf(w.alice.failure()), "c-ares");
}

TEST(ExchangeGivingUpTest, TheDefaultRelaySaysThatThereIsNoPublicOne) {
  World w;
  w.relay_down = true;
  ExchangeConfig config = InitiatorConfig();
  config.relay = "localhost:47180";
  StartAlice(w, config);
  w.Run();
  EXPECT_TRUE(Contains(Text(w.alice.failure()), "no public relay exists yet"));
  EXPECT_TRUE(Contains(Text(w.alice.failure()), "WORMHOLE_RENDEZVOUS"));
}

TEST(ExchangeGivingUpTest, TimeoutWhileTheRelayIsAwayIsToldAtOnceAndTheCloseIsTriedOn) {
  World w;
  StartAlice(w);
  w.After(Seconds(170), [&] {
    w.relay_down = true;
    w.alice.LoseStream();
  });
  w.Run(Seconds(1000), [&] { return !w.alice.failures.empty(); });
  EXPECT_EQ(w.now(), Seconds(1180));
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kTimeout);
  EXPECT_FALSE(w.alice.over);
  w.After(Seconds(3), [&] { w.relay_down = false; });
  w.Run();
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{MOOD_LONELY});
  EXPECT_TRUE(w.alice.over);
  EXPECT_LT(w.now(), Seconds(1185));
}

TEST(ExchangeGivingUpTest, ACloseThatCannotBeDeliveredIsGivenUpAfterFiveSeconds) {
  World w;
  StartAlice(w);
  w.relay_down = true;
  w.alice.LoseStream();
  w.Run(Seconds(1));
  w.alice.Do(Cancel{});
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled);
  const absl::Duration told = w.now();
  w.Run();
  EXPECT_TRUE(w.alice.over);
  EXPECT_EQ(w.now(), told + Seconds(5));
}

TEST(ExchangeGivingUpTest, CancelIsSeenByThePeer) {
  World w;
  RunToVerifiers(w);
  w.bob.Do(Cancel{});
  w.bob.Do(Cancel{});
  EXPECT_EQ(w.bob.failures.size(), 1u);
  EXPECT_EQ(w.bob.failure().code(), StatusCode::kCancelled);
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kCancelled);
  w.Run();
  EXPECT_EQ(w.alice.failure().code(), StatusCode::kCancelled);
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kPeerGaveUp);
  EXPECT_TRUE(w.alice.over && w.bob.over);
}

TEST(ExchangeGivingUpTest, CancelBeforeTheStart) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Do(Cancel{});
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled);
  EXPECT_TRUE(w.alice.over);
  w.alice.Do(Start{});
  EXPECT_TRUE(w.alice.sent.empty());
}

TEST(ExchangeGivingUpTest, CancelWhileTheFirstOpenIsUnderWayClosesWhatItJoins) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.alice.Do(Cancel{});
  EXPECT_EQ(w.alice.failures.size(), 1u);
  w.Run();
  EXPECT_TRUE(w.alice.over);
  EXPECT_TRUE(w.alice.code.empty());
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{MOOD_LONELY});
}

TEST(ExchangeGivingUpTest, CancelWhileWaitingWithdrawsTheWait) {
  World w;
  ExchangeConfig bob = ReceiverConfig("77-zoo-zoo");
  bob.wait = true;
  StartBob(w, bob);
  w.Run(Seconds(5));
  w.bob.Do(Cancel{});
  EXPECT_TRUE(w.bob.over);
  EXPECT_FALSE(w.bob.has_stream());
  w.Run();
  EXPECT_TRUE(w.relay.closes.empty());
}

TEST(ExchangeGivingUpTest, CancelWhileTheRelayIsUnreachableIsOverAtOnce) {
  World w;
  w.relay_down = true;
  StartAlice(w);
  w.alice.Do(Cancel{});
  w.Run(Milliseconds(100));
  EXPECT_TRUE(w.alice.over);
}

TEST(ExchangeGivingUpTest, CancelOfAFinishedExchangeOnlyHurries) {
  World w;
  StartAlice(w);
  StartBob(w, ReceiverConfig(w.alice.code));
  w.Run(Seconds(1), [&] { return !w.alice.data.empty(); });
  w.relay_down = true;
  w.alice.LoseStream();
  w.alice.Do(Cancel{});
  const absl::Duration then = w.now();
  w.Run(Seconds(60), [&] { return w.alice.over; });
  EXPECT_TRUE(w.alice.failures.empty());
  EXPECT_EQ(w.now(), then + Seconds(5));
}

}  // namespace
}  // namespace wormhole::core
