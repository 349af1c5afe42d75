// The ways in which an exchange ends without data.
#include <algorithm>
#include <utility>

#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Seconds;
using absl::StatusCode;
using error::ErrorDetail;
using rendezvous::v1::Mood;
using rendezvous::v1::MOOD_ERRORY;
using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_LONELY;
using rendezvous::v1::MOOD_SCARY;
using rendezvous::v1::MOOD_UNSPECIFIED;

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
std::string Text(const absl::Status& status) { return std::string(status.message()); }

TEST(ExchangeEndTest, AWrongCodeIsOneGuess) {
  World w;
  StartAlice(w);
  const bool zoo = Contains(w.alice.code, "-zoo-zoo");
  StartBob(w, ReceiverConfig(zoo ? "4-zone-zone" : "4-zoo-zoo"));
  w.Run();
  for (const Party* party : {&w.alice, &w.bob}) {
    ASSERT_EQ(party->failures.size(), 1u);
    EXPECT_EQ(party->failure().code(), StatusCode::kUnauthenticated);
    EXPECT_EQ(ReasonOf(party->failure()), Reason::kWrongCode);
    EXPECT_TRUE(Contains(Text(party->failure()), "channel 4 of example.com/app1 at relay.example"));
    EXPECT_TRUE(party->over);
    EXPECT_TRUE(party->verifiers.empty());
    EXPECT_EQ(party->opens.size(), 1u);
    // The state is burnt, saved as such, and holds no keys.
    EXPECT_TRUE(Contains(party->saves.back(), "\"burnt\":true"));
    EXPECT_FALSE(Contains(party->saves.back(), "words"));
    EXPECT_FALSE(Contains(party->saves.back(), "scalar"));
    EXPECT_FALSE(Contains(party->saves.back(), "prk"));
    const absl::Status again = w.bob.Restore(party->saves.back());
    EXPECT_EQ(again.code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(again), Reason::kWrongCode);
  }
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{MOOD_SCARY});
}

// Whoever hears of it may end the process; a copy that is not burnt would be another guess.
TEST(ExchangeEndTest, AWrongCodeIsSavedAsBurntBeforeItIsTold) {
  World w;
  StartAlice(w);
  StartBob(w, ReceiverConfig(Contains(w.alice.code, "-zoo-zoo") ? "4-zone-zone" : "4-zoo-zoo"));
  w.Run();
  const std::vector<std::string>& t = w.alice.trace;
  const auto failed = std::find(t.begin(), t.end(), "Failed");
  ASSERT_GE(t.end() - failed, 2);
  EXPECT_EQ(failed[-1], "Save");
  EXPECT_EQ(failed[1], "Send") << "the Close";
}

TEST(ExchangeEndTest, ADeathRightAfterAWrongCodeLeavesABurntState) {
  World w;
  StartAlice(w);
  w.alice.crash_before = [](const Effect& effect) {
    return std::holds_alternative<Failed>(effect);
  };
  StartBob(w, ReceiverConfig(Contains(w.alice.code, "-zoo-zoo") ? "4-zone-zone" : "4-zoo-zoo"));
  w.Run();
  EXPECT_EQ(ReasonOf(w.alice.Restore(w.alice.saves.back())), Reason::kWrongCode);
}

// --- The relay's word that the channel has ended.

struct Ending {
  Mood mood;
  StatusCode code;
  Reason reason;
};

TEST(ExchangeEndTest, EndingsBeforeTheKeyIsConfirmed) {
  for (const Ending& e : {Ending{MOOD_SCARY, StatusCode::kUnauthenticated, Reason::kWrongCode},
                          Ending{MOOD_LONELY, StatusCode::kCancelled, Reason::kPeerGaveUp},
                          Ending{MOOD_ERRORY, StatusCode::kAborted, Reason::kAborted},
                          Ending{MOOD_HAPPY, StatusCode::kFailedPrecondition, Reason::kStaleState},
                          Ending{MOOD_UNSPECIFIED, StatusCode::kNotFound, Reason::kNoSuchCode}}) {
    World w;
    StartAlice(w);
    w.relay.EndChannel(4, e.mood);
    w.Run();
    EXPECT_EQ(w.alice.failure().code(), e.code) << w.alice.failure();
    EXPECT_EQ(ReasonOf(w.alice.failure()), e.reason);
    EXPECT_TRUE(w.alice.over);
    EXPECT_EQ(w.alice.opens.size(), 1u);
    EXPECT_EQ(Contains(w.alice.saves.back(), "\"burnt\":true"), e.mood == MOOD_SCARY);
  }
}

TEST(ExchangeEndTest, EndingsAfterTheKeyIsConfirmed) {
  for (const Ending& e :
       {Ending{MOOD_SCARY, StatusCode::kAborted, Reason::kAborted},
        Ending{MOOD_LONELY, StatusCode::kCancelled, Reason::kPeerGaveUp},
        Ending{MOOD_ERRORY, StatusCode::kAborted, Reason::kAborted},
        Ending{MOOD_HAPPY, StatusCode::kFailedPrecondition, Reason::kStaleState}}) {
    World w;
    RunToVerifiers(w);
    w.relay.EndChannel(4, e.mood);
    w.Run();
    for (const Party* party : {&w.alice, &w.bob}) {
      EXPECT_EQ(party->failure().code(), e.code) << party->failure();
      EXPECT_EQ(ReasonOf(party->failure()), e.reason);
      EXPECT_TRUE(party->over);
    }
  }
}

// Refuses the next Open (of a fresh exchange, or of one that has its channel) with this reason.
absl::Status FailureOnOpen(ErrorDetail::Reason reason, bool joined, size_t* opens = nullptr) {
  World w;
  if (joined) {
    StartAlice(w);
  } else {
    w.alice.Create(InitiatorConfig());
  }
  bool refused = false;
  w.refuse_open = [&]() -> std::optional<absl::Status> {
    if (refused && joined) return std::nullopt;
    refused = true;
    return error::Make(reason, "the relay's words");
  };
  joined ? w.alice.LoseStream() : w.alice.Start();
  w.Run();
  EXPECT_TRUE(w.alice.over);
  if (opens != nullptr) *opens = w.alice.opens.size();
  return w.alice.failure();
}

TEST(ExchangeEndTest, FinalRefusalsAreTyped) {
  struct Case {
    ErrorDetail::Reason reason;
    StatusCode code;
    Reason expected;
  };
  for (const Case& c :
       {Case{ErrorDetail::REASON_TAKEN, StatusCode::kAlreadyExists, Reason::kTaken},
        Case{ErrorDetail::REASON_CROWDED, StatusCode::kAlreadyExists, Reason::kCrowded},
        Case{ErrorDetail::REASON_SIDE_IN_USE, StatusCode::kAlreadyExists, Reason::kRefused},
        Case{ErrorDetail::REASON_NOT_ALLOWED, StatusCode::kPermissionDenied,
             Reason::kNotAuthorized},
        Case{ErrorDetail::REASON_CONFLICT, StatusCode::kAborted, Reason::kRefused},
        Case{ErrorDetail::REASON_WINDOW, StatusCode::kResourceExhausted, Reason::kRefused},
        Case{ErrorDetail::REASON_MALFORMED, StatusCode::kInvalidArgument, Reason::kRefused},
        Case{ErrorDetail::REASON_STALE_STATE, StatusCode::kFailedPrecondition, Reason::kStaleState},
        Case{ErrorDetail::REASON_NEVER_ALLOCATED, StatusCode::kNotFound, Reason::kNoSuchCode},
        Case{ErrorDetail::REASON_EXPIRED, StatusCode::kNotFound, Reason::kNoSuchCode},
        Case{ErrorDetail::REASON_CLOSED, StatusCode::kNotFound, Reason::kNoSuchCode}}) {
    for (const bool joined : {false, true}) {
      const absl::Status failure = FailureOnOpen(c.reason, joined);
      EXPECT_EQ(failure.code(), c.code) << failure;
      EXPECT_EQ(ReasonOf(failure), c.expected) << failure;
      EXPECT_TRUE(Contains(Text(failure), "example.com/app1")) << failure;
    }
  }
}

// How an Open that is answered with `status` ends, and how often it was tried within ten seconds.
std::pair<absl::Status, size_t> AnswerOpen(const absl::Status& status) {
  World w;
  w.refuse_open = [&] { return status; };
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(10));
  return {w.alice.failure(), w.alice.opens.size()};
}

TEST(ExchangeEndTest, WhatNeverLetsInIsSaidAtOnce) {
  for (const StatusCode code :
       {StatusCode::kUnauthenticated, StatusCode::kUnimplemented, StatusCode::kPermissionDenied}) {
    const auto [failure, opens] = AnswerOpen(absl::Status(code, "no \x1b"));
    EXPECT_EQ(failure.code(), code) << failure;
    const bool token = code == StatusCode::kUnauthenticated;
    EXPECT_EQ(ReasonOf(failure), token ? Reason::kNotAuthorized : Reason::kRefused) << failure;
    EXPECT_TRUE(Contains(Text(failure), "no ?")) << failure;
    EXPECT_EQ(opens, 1u);
  }
}

// Who was let in once, as far as WAITING, knows that the relay is there: proxies say such things
// for a moment while they are updated. But a token does not become right again.
TEST(ExchangeEndTest, WhatHasLetInOnceIsTriedAgain) {
  for (const bool waiting : {false, true}) {
    for (const StatusCode code : {StatusCode::kUnauthenticated, StatusCode::kUnimplemented,
                                  StatusCode::kPermissionDenied}) {
      World w;
      ExchangeConfig bob = ReceiverConfig("4-zoo-zoo");
      bob.wait = true;
      if (!waiting) StartAlice(w);
      StartBob(w, waiting ? bob : ReceiverConfig(w.alice.code));
      w.Run(waiting ? Seconds(1) : absl::Milliseconds(25));
      ASSERT_TRUE(w.bob.has_stream());
      w.bob.LoseStream(absl::Status(code, "no"));
      const bool final = code == StatusCode::kUnauthenticated;
      EXPECT_EQ(ReasonOf(w.bob.failure()), final ? Reason::kNotAuthorized : Reason::kNone)
          << w.bob.failure();
      w.Run(Seconds(1));
      EXPECT_EQ(w.bob.opens.size() > 1, !final);
    }
  }
}

TEST(ExchangeEndTest, AnUnknownReasonIsJudgedByItsCode) {
  for (int code = 1; code <= 16; ++code) {
    absl::Status status = error::Make(static_cast<ErrorDetail::Reason>(99), "new");
    absl::Status told(static_cast<StatusCode>(code), status.message());
    status.ForEachPayload(
        [&](absl::string_view url, const absl::Cord& payload) { told.SetPayload(url, payload); });
    ASSERT_TRUE(error::DetailOf(told).has_value());
    const auto [failure, opens] = AnswerOpen(told);
    const bool final =
        told.code() == StatusCode::kInvalidArgument || told.code() == StatusCode::kNotFound ||
        told.code() == StatusCode::kAlreadyExists || told.code() == StatusCode::kPermissionDenied ||
        told.code() == StatusCode::kFailedPrecondition ||
        told.code() == StatusCode::kUnauthenticated;
    const Reason expected = !final                                        ? Reason::kNone
                            : told.code() == StatusCode::kUnauthenticated ? Reason::kNotAuthorized
                                                                          : Reason::kRefused;
    EXPECT_EQ(ReasonOf(failure), expected) << told << failure;
    if (final) {
      EXPECT_EQ(failure.code(), told.code());
    }
    EXPECT_EQ(opens > 1, !final) << told;
  }
}

// A relay says it with two codes, and behind haproxy it comes with a third one, which is gRPC's.
TEST(ExchangeEndTest, NotAllowedHasTwoCodes) {
  for (const StatusCode code : {StatusCode::kPermissionDenied, StatusCode::kUnauthenticated,
                                StatusCode::kCancelled, StatusCode::kUnavailable}) {
    absl::Status told(code, "x");
    error::Make(ErrorDetail::REASON_NOT_ALLOWED, "x")
        .ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
          told.SetPayload(url, payload);
        });
    const auto [failure, opens] = AnswerOpen(told);
    EXPECT_EQ(ReasonOf(failure), Reason::kNotAuthorized) << failure;
    EXPECT_EQ(failure.code(), code == StatusCode::kUnauthenticated ? StatusCode::kUnauthenticated
                                                                   : StatusCode::kPermissionDenied);
    EXPECT_TRUE(Contains(Text(failure), "bearer token")) << failure;
    EXPECT_EQ(opens, 1u);
  }
}

// A known one is what it says, whatever code it comes with.
TEST(ExchangeEndTest, AKnownReasonDecides) {
  const absl::Status crowded = error::Make(ErrorDetail::REASON_CROWDED, "x");
  absl::Status told(StatusCode::kUnavailable, "x");
  crowded.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { told.SetPayload(url, payload); });
  EXPECT_EQ(ReasonOf(AnswerOpen(told).first), Reason::kCrowded);
}

TEST(ExchangeEndTest, AMemberWhoseNumberIsOthersByNow) {
  const absl::Status member = FailureOnOpen(ErrorDetail::REASON_NOT_MEMBER, /*joined=*/true);
  EXPECT_EQ(member.code(), StatusCode::kNotFound) << member;
  EXPECT_EQ(ReasonOf(member), Reason::kNoSuchCode) << member;
  EXPECT_TRUE(Contains(Text(member), "begin again with a new code")) << member;
  const absl::Status other = FailureOnOpen(ErrorDetail::REASON_NOT_MEMBER, /*joined=*/false);
  EXPECT_EQ(ReasonOf(other), Reason::kRefused) << other;
}

TEST(ExchangeEndTest, AnInitiatorWhoseNewChannelIsGone) {
  const absl::Status failure = FailureOnOpen(ErrorDetail::REASON_CLOSED, /*joined=*/false);
  EXPECT_TRUE(Contains(Text(failure), "the relay was asked for a new channel")) << failure;
  EXPECT_FALSE(Contains(Text(failure), "mistyped")) << failure;
}

TEST(ExchangeEndTest, ARefusedMemberClosesTheChannelAsErrory) {
  size_t opens = 0;
  EXPECT_FALSE(FailureOnOpen(ErrorDetail::REASON_CONFLICT, /*joined=*/true, &opens).ok());
  EXPECT_EQ(opens, 3u);  // the first, the refused one, the one that closes
  EXPECT_FALSE(FailureOnOpen(ErrorDetail::REASON_NOT_MEMBER, /*joined=*/true, &opens).ok());
  EXPECT_EQ(opens, 2u);
  EXPECT_FALSE(FailureOnOpen(ErrorDetail::REASON_CONFLICT, /*joined=*/false, &opens).ok());
  EXPECT_EQ(opens, 1u);
}

TEST(ExchangeEndTest, ForeignTextInAMessageIsHarmless) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.refuse_open = [] {
    return error::Make(ErrorDetail::REASON_NOT_ALLOWED, "\x1b[2J" + std::string(5000, 'x'));
  };
  w.alice.Start();
  w.Run();
  EXPECT_FALSE(Contains(Text(w.alice.failure()), "\x1b"));
  EXPECT_LT(w.alice.failure().message().size(), 500u);
}

TEST(ExchangeEndTest, ACodeThatIsNotThere) {
  World w;
  StartBob(w, ReceiverConfig("9-zoo-zoo"));
  w.Run();
  EXPECT_EQ(w.bob.failure().code(), StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kNoSuchCode);
  EXPECT_FALSE(Contains(Text(w.bob.failure()), "zoo"));
}

// Before its claim was answered, a receiver learns nothing from how the channel ended.
TEST(ExchangeEndTest, AClosedChannelIsNoSuchCodeToAFirstClaim) {
  for (const Mood mood : {MOOD_SCARY, MOOD_LONELY, MOOD_HAPPY}) {
    World w;
    StartAlice(w);
    w.relay.EndChannel(4, mood);
    StartBob(w, ReceiverConfig("4-zoo-zoo"));
    w.Run();
    EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kNoSuchCode);
    EXPECT_FALSE(Contains(w.bob.exchange()->Serialize(), "\"burnt\":true"));
  }
}

// --- A finished client has succeeded, whatever ends its Close.

TEST(ExchangeEndTest, AFinishedClientSucceedsWhateverEndsItsClose) {
  for (int ending = 0; ending < 6; ++ending) {
    World w;
    StartAlice(w);
    StartBob(w, ReceiverConfig(w.alice.code));
    w.Run(Seconds(1), [&] { return !w.alice.data.empty(); });
    w.alice.LoseStream();
    switch (ending) {
      case 0:
        w.relay.EndChannel(4, MOOD_SCARY);
        break;
      case 1:
        w.relay.EndChannel(4, MOOD_HAPPY);
        break;
      case 2:
        w.relay.channels.clear();
        break;
      case 3:
        w.relay_down = true;
        break;
      case 4:
        w.refuse_open = [] { return error::Make(ErrorDetail::REASON_EXPIRED, "x"); };
        break;
      case 5:
        w.refuse_open = [] { return error::Make(ErrorDetail::REASON_PEER_LEFT, "x"); };
        break;
    }
    w.Run(Seconds(60), [&] { return w.alice.over; });
    EXPECT_TRUE(w.alice.finished()) << ending;
    EXPECT_TRUE(w.alice.failures.empty()) << ending;
    EXPECT_EQ(w.alice.data.size(), 1u);
    EXPECT_TRUE(w.alice.exchange()->Verifier().ok());
    EXPECT_LE(w.now(), Seconds(1040));
  }
}

TEST(ExchangeEndTest, AHappyCloseThatWasLostIsRepeated) {
  World w;
  StartAlice(w);
  StartBob(w, ReceiverConfig(w.alice.code));
  w.Run(Seconds(1), [&] { return !w.alice.data.empty(); });
  w.alice.LoseStream();
  w.Run();
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
  EXPECT_TRUE(w.relay.channels[4].ended);
  EXPECT_EQ(w.relay.channels[4].mood, MOOD_HAPPY);
}

// --- A save hook that fails.

TEST(ExchangeEndTest, AFailingHookStopsTheExchangeWhereItIs) {
  for (int good = 0; good < 4; ++good) {
    World w;
    int saves = 0;
    w.alice.on_save = [&] {
      return saves++ < good ? absl::OkStatus() : absl::DataLossError("disk full");
    };
    w.alice.Create(InitiatorConfig());
    w.alice.Start();
    w.Run(Seconds(1));
    if (good > 1) StartBob(w, ReceiverConfig(w.alice.code));
    w.Run(Seconds(1));
    ASSERT_EQ(w.alice.failures.size(), 1u) << good;
    EXPECT_EQ(w.alice.failure().code(), StatusCode::kDataLoss);
    EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kSaveFailed);
    EXPECT_TRUE(Contains(Text(w.alice.failure()), "disk full"));
    EXPECT_TRUE(w.alice.over);
    EXPECT_FALSE(w.alice.has_stream());
    EXPECT_TRUE(w.alice.data.empty());
    EXPECT_TRUE(w.relay.closes.empty() || good == 3);  // bob may have finished by then
    // What was saved last goes on, once the disk is mended.
    w.alice.on_save = nullptr;
    if (good == 0) {
      EXPECT_TRUE(w.alice.sent.empty());
      continue;
    }
    w.alice.failures.clear();
    ASSERT_TRUE(w.alice.Restore(w.alice.saves.back()).ok());
    w.alice.Start();
    w.Run(Seconds(1));
    if (good == 1) StartBob(w, ReceiverConfig(w.alice.code));
    w.Run();
    EXPECT_TRUE(w.alice.finished()) << good << w.alice.failure();
    EXPECT_TRUE(w.bob.finished()) << good << w.bob.failure();
  }
}

TEST(ExchangeEndTest, AFailingHookAfterAFailureIsNotToldAgain) {
  World w;
  StartAlice(w);
  w.alice.on_save = [] { return absl::DataLossError("disk full"); };
  w.alice.Do(Cancel{});
  EXPECT_EQ(w.alice.failures.size(), 1u);
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled);
  EXPECT_TRUE(w.alice.over);
  w.Run();
  EXPECT_TRUE(w.relay.closes.empty());
}

TEST(ExchangeEndTest, NothingHappensAfterOver) {
  World w;
  StartAlice(w);
  StartBob(w, ReceiverConfig(w.alice.code));
  w.Run();
  ASSERT_TRUE(w.alice.over);
  const size_t effects = w.alice.effects;
  for (const Event& event : std::vector<Event>{Start{}, Wake{}, Cancel{}, Ended{}, Received{},
                                               AcceptVerifier{true}, AcceptVerifier{false}}) {
    w.alice.Do(event);
  }
  EXPECT_EQ(w.alice.effects, effects);
}

}  // namespace
}  // namespace wormhole::core
