// What is said on a stream: relays that talk nonsense, the window, acknowledgements, check-in mode.
#include <algorithm>

#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"

namespace wormhole::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using error::ErrorDetail;
using rendezvous::v1::Opened;

ExchangeConfig Patient(ExchangeConfig config) {
  config.timeout = absl::Hours(48);
  return config;
}

size_t Count(const Party& party, bool (rendezvous::v1::AttachRequest::*has)() const) {
  return std::count_if(party.sent.begin(), party.sent.end(),
                       [&](const auto& r) { return (r.*has)(); });
}

// --- Nonsense.

TEST(ExchangeStreamTest, AnOpenedThatIsNotOursIsRefused) {
  const std::vector<std::function<void(Opened&)>> lies = {
      [](Opened& o) { o.set_channel_id(0); },
      [](Opened& o) { o.set_channel_id(1'000'000'000); },
      [](Opened& o) { o.set_state(Opened::STATE_UNSPECIFIED); },
      [](Opened& o) { o.set_state(Opened::STATE_WAITING); },
  };
  for (size_t i = 0; i < lies.size(); ++i) {
    World w;
    w.relay.on_opened = lies[i];
    StartAlice(w);
    EXPECT_TRUE(w.alice.code.empty()) << i;
    EXPECT_GE(w.alice.opens.size(), 2u) << i;
    EXPECT_LE(w.alice.opens.size(), 4u) << i;  // by the schedule
    EXPECT_TRUE(w.alice.sent.back().open().has_allocate()) << i;
    w.relay.on_opened = nullptr;
    w.Run(Seconds(2));
    StartBob(w);
    w.Run();
    EXPECT_TRUE(w.alice.finished()) << i;
  }
}

TEST(ExchangeStreamTest, AnotherIdThanItsOwnIsRefused) {
  World w;
  StartAlice(w);
  w.relay.on_opened = [](Opened& o) { o.set_channel_id(5); };
  w.alice.LoseStream();
  w.Run(Seconds(5));
  EXPECT_GE(w.alice.opens.size(), 5u);
  EXPECT_FALSE(w.alice.over);
  w.relay.on_opened = nullptr;
  w.Run(Seconds(2));
  StartBob(w);
  w.Run();
  EXPECT_TRUE(w.alice.finished());
  EXPECT_EQ(w.alice.code.substr(0, 2), "4-");
}

FakeRelay::Response MessageNumber(uint64_t n, std::string frame = "x") {
  FakeRelay::Response r;
  r.mutable_message()->set_number(n);
  r.mutable_message()->set_frame(std::move(frame));
  return r;
}

TEST(ExchangeStreamTest, WordsOutOfTurnEndTheStream) {
  FakeRelay::Response posted;
  posted.mutable_posted()->set_number(1);
  FakeRelay::Response status;
  status.mutable_peer_status();
  for (const FakeRelay::Response& r : {MessageNumber(1), posted, status}) {
    World w;
    w.alice.Create(InitiatorConfig());
    w.alice.Start();
    w.alice.Do(Received{r});
    EXPECT_FALSE(w.alice.has_stream());
    EXPECT_TRUE(w.alice.failures.empty());
  }
  World w;
  StartAlice(w);
  posted.mutable_posted()->set_number(2);  // only one was posted
  w.alice.Do(Received{posted});
  EXPECT_FALSE(w.alice.has_stream());
  w.Run(Seconds(2));
  FakeRelay::Response opened;
  opened.mutable_opened()->set_state(Opened::STATE_ATTACHED);
  opened.mutable_opened()->set_channel_id(4);
  ASSERT_TRUE(w.alice.has_stream());
  w.alice.Do(Received{opened});  // a second time
  EXPECT_FALSE(w.alice.has_stream());
  w.Run(Seconds(2));
  ASSERT_TRUE(w.alice.has_stream());
  w.alice.Do(Received{FakeRelay::Response()});  // what no relay says unasked
  EXPECT_FALSE(w.alice.has_stream());
}

TEST(ExchangeStreamTest, AGapInTheNumbersIsAskedForAgain) {
  World w;
  StartAlice(w);
  w.alice.Do(Received{MessageNumber(2)});
  EXPECT_EQ(w.alice.opens.size(), 2u);
  EXPECT_TRUE(w.alice.failures.empty());
  w.Run(Seconds(1));
  w.alice.Do(Received{MessageNumber(0)});  // an old number is dropped
  EXPECT_TRUE(w.alice.has_stream());
  StartBob(w);
  w.Run();
  EXPECT_TRUE(w.alice.finished());
}

// Each response that is not lost with its stream gets through in the end.
TEST(ExchangeStreamTest, LossOfAnyOneResponseIsSurvived) {
  for (int target = 0; target < 25; ++target) {
    World w;
    int seen = 0;
    w.lose_response = [&](const Party&, const FakeRelay::Response&) { return seen++ == target; };
    StartAlice(w);
    w.Run(Seconds(120), [&] { return !w.alice.code.empty(); });
    ASSERT_FALSE(w.alice.code.empty()) << target;
    w.bob.Create(Patient(ReceiverConfig(w.alice.code)));
    w.bob.Start();
    // A lost response means a lost stream sooner or later; here sooner.
    w.After(Seconds(5), [&] {
      w.alice.LoseStream();
      w.bob.LoseStream();
    });
    w.Run();
    EXPECT_TRUE(w.alice.finished()) << target << w.alice.failure();
    EXPECT_TRUE(w.bob.finished()) << target << w.bob.failure();
  }
}

// --- Acknowledgements.

TEST(ExchangeStreamTest, FinishingAcknowledgesAndThenCloses) {
  World w;
  StartAlice(w);
  StartBob(w);
  w.Run();
  for (const Party* party : {&w.alice, &w.bob}) {
    ASSERT_GE(party->sent.size(), 2u);
    const auto& ack = party->sent[party->sent.size() - 2];
    EXPECT_EQ(ack.ack().number(), party == &w.alice ? 2u : 3u);
    EXPECT_EQ(party->sent.back().close().mood(), rendezvous::v1::MOOD_HAPPY);
    EXPECT_EQ(Count(*party, &rendezvous::v1::AttachRequest::has_ack), 1u);
  }
}

TEST(ExchangeStreamTest, HalfTheWindowIsAcknowledged) {
  World w;
  w.relay.on_opened = [](Opened& o) { o.mutable_limits()->set_window_frames(1); };  // means 4
  ExchangeConfig alice = InitiatorConfig();
  alice.confirm_verifier = true;
  StartAlice(w, alice);
  StartBob(w);
  w.Run(Seconds(1));
  // Each has accepted two frames of the other.
  EXPECT_EQ(Count(w.bob, &rendezvous::v1::AttachRequest::has_ack), 1u);
  EXPECT_EQ(Count(w.alice, &rendezvous::v1::AttachRequest::has_ack), 1u);
  w.alice.Do(AcceptVerifier{true});
  w.Run();
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
}

TEST(ExchangeStreamTest, TheCursorInOpenCoversAReconnect) {
  World w;
  ExchangeConfig alice = InitiatorConfig();
  alice.confirm_verifier = true;
  StartAlice(w, alice);
  StartBob(w);
  w.Run(Seconds(1));
  w.bob.LoseStream();
  EXPECT_EQ(w.bob.sent.back().open().cursor(), 2u);
  w.Run(Seconds(1));
  EXPECT_EQ(w.relay.channels[4].forgotten[0], 2u);
  EXPECT_EQ(Count(w.bob, &rendezvous::v1::AttachRequest::has_ack), 0u);
}

// --- Frames are posted again after each Opened until they are stored.

TEST(ExchangeStreamTest, WhatTheRelayHasNotStoredIsPostedAgain) {
  World w;
  StartAlice(w);
  w.relay.channels[4].logs[0].clear();  // it was never committed
  w.alice.LoseStream();
  w.Run(Seconds(1));
  EXPECT_EQ(w.relay.channels[4].logs[0].size(), 1u);
  std::vector<std::string> frames;
  for (const auto& r : w.alice.sent) {
    if (r.has_post()) frames.push_back(r.post().frame());
  }
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0], frames[1]);
  w.alice.LoseStream();
  w.Run(Seconds(1));
  EXPECT_EQ(Count(w.alice, &rendezvous::v1::AttachRequest::has_post), 2u);  // stored now
}

// A relay that makes up comings and goings, and strangers, by the thousand.
TEST(ExchangeStreamTest, AFloodOfPeerStatusIsToldInBits) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(1));
  for (uint32_t i = 1; i <= 3000; ++i) {
    FakeRelay::Response response;
    response.mutable_peer_status()->set_presence(i % 2 == 0 ? rendezvous::v1::PRESENCE_DETACHED
                                                            : rendezvous::v1::PRESENCE_ATTACHED);
    response.mutable_peer_status()->set_third_parties(i);
    w.alice.Do(Received{response});
  }
  EXPECT_GT(w.alice.progress.size(), 5u);
  EXPECT_LT(w.alice.progress.size(), 30u);
  // What holds in the end is told a little later, and then there is peace.
  w.Run(Seconds(2));
  const size_t told = w.alice.progress.size();
  EXPECT_EQ(w.alice.progress.back().kind, ProgressEvent::Kind::kWaiting);
  w.Run(Seconds(10));
  EXPECT_EQ(w.alice.progress.size(), told);
}

TEST(ExchangeStreamTest, APeerThatLeftIsReadToTheEndBeforePosting) {
  // Bob has finished and left, and alice's own frames 2 and 3 are lost with the relay's memory of
  // them, but his cursor stands: she reads, then posts up to his cursor.
  World w;
  StartAlice(w);
  const std::string older = w.alice.saves.back();
  StartBob(w);
  w.relay.forget = false;
  w.Run(Seconds(1), [&] { return w.bob.over; });
  ASSERT_TRUE(w.bob.finished());
  w.alice.Crash();
  w.Run(Seconds(1));
  auto& channel = w.relay.channels[4];
  if (channel.ended) channel.ended = false;
  channel.left[0] = false;
  channel.logs[0].resize(1);
  ASSERT_EQ(channel.accepted[0], 3u);
  w.alice.data.clear();
  ASSERT_TRUE(w.alice.Restore(older).ok());
  const size_t before = w.alice.sent.size();
  w.alice.Start();
  w.Run();
  EXPECT_TRUE(w.alice.finished()) << w.alice.failure();
  EXPECT_TRUE(w.alice.sent[before].has_open());
}

// --- Check-in mode.

ExchangeConfig CheckIn(ExchangeConfig config) {
  config.check_in = true;
  config.timeout = absl::Hours(100);
  config.schedule = {{absl::ZeroDuration(), Seconds(3600)}};
  return config;
}

TEST(ExchangeStreamTest, CheckInFinishesWithoutTheTwoEverAttachedTogether) {
  World w;
  w.alice.Create(CheckIn(InitiatorConfig()));
  w.alice.Start();
  w.Run(Seconds(5));
  EXPECT_FALSE(w.alice.has_stream());
  ASSERT_FALSE(w.alice.code.empty());
  w.Run(Seconds(600));
  w.bob.Create(CheckIn(ReceiverConfig(w.alice.code)));
  w.bob.Start();
  bool together = false;
  w.Run(absl::Hours(50), [&] {
    together |= w.alice.has_stream() && w.bob.has_stream();
    return w.alice.over && w.bob.over;
  });
  EXPECT_FALSE(together);
  EXPECT_TRUE(w.alice.finished()) << w.alice.failure();
  EXPECT_TRUE(w.bob.finished()) << w.bob.failure();
  EXPECT_LE(w.alice.opens.size(), 4u);
  for (size_t i = 1; i < w.alice.opens.size(); ++i) {
    EXPECT_GE(w.alice.opens[i] - w.alice.opens[i - 1], Seconds(3200));
  }
}

TEST(ExchangeStreamTest, CheckInAcknowledgesBeforeItDetaches) {
  World w;
  w.alice.Create(CheckIn(InitiatorConfig()));
  w.alice.Start();
  w.Run(Seconds(5));
  w.bob.Create(CheckIn(ReceiverConfig(w.alice.code)));
  w.bob.Start();
  w.Run(Seconds(5));
  EXPECT_FALSE(w.bob.has_stream());
  EXPECT_EQ(w.bob.sent.back().ack().number(), 1u);
  EXPECT_EQ(w.relay.channels[4].forgotten[0], 1u);
}

TEST(ExchangeStreamTest, CheckInOfAWaiter) {
  World w;
  ExchangeConfig bob = CheckIn(ReceiverConfig("77-zoo-zoo"));
  bob.wait = true;
  w.bob.Create(bob);
  w.bob.Start();
  w.Run(Seconds(5));
  EXPECT_FALSE(w.bob.has_stream());
  ExchangeConfig alice = CheckIn(InitiatorConfig());
  alice.code = "77-zoo-zoo";
  w.alice.Create(alice);
  w.alice.Start();
  w.Run(absl::Hours(50));
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
  EXPECT_TRUE(w.bob.sent[1].open().has_claim());  // the next tick claims again
}

TEST(ExchangeStreamTest, CheckInIsNotRetriedAtOnce) {
  World w;
  w.alice.Create(CheckIn(InitiatorConfig()));
  w.alice.Start();
  w.Run(Milliseconds(15));
  w.alice.LoseStream();
  w.Run(Seconds(3000));
  EXPECT_EQ(w.alice.opens.size(), 1u);
  w.Run(Seconds(1200));
  EXPECT_EQ(w.alice.opens.size(), 2u);
}

}  // namespace
}  // namespace wormhole::core
