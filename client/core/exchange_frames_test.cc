// Frames that are too long, too many or never come.
#include <algorithm>

#include "client/core/handshake.h"
#include "client/core/saved_state.h"
#include "client/core/testing/exchange_world.h"
#include "client/pake/sealed.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/wire/limits.h"
#include "wormhole/exchange/v1/exchange.pb.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using absl::StatusCode;
using rendezvous::v1::Mood;
using rendezvous::v1::MOOD_ERRORY;
using rendezvous::v1::Opened;

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
std::string Text(const absl::Status& status) { return std::string(status.message()); }

FakeRelay::Response MessageNumber(uint64_t n, std::string frame) {
  FakeRelay::Response r;
  r.mutable_message()->set_number(n);
  r.mutable_message()->set_frame(std::move(frame));
  return r;
}

FakeRelay::Response PeerLeft() {
  FakeRelay::Response r;
  r.mutable_peer_status()->set_presence(rendezvous::v1::PRESENCE_LEFT);
  return r;
}

// --- Too much data.

// Bob's Sealed 0 with `size` bytes of data, as one who has the key would make it.
std::string SealedByBob(const Party& bob, size_t size) {
  const auto state = ParseState(bob.saves.back());
  EXPECT_TRUE(state.ok()) << state.status();
  exchange::v1::Data data;
  data.set_data(std::string(size, 'x'));
  exchange::v1::ExchangeFrame frame;
  frame.mutable_sealed()->set_box(
      *pake::Seal(Keys(*state), pake::Role::kReceiver, 0, data.SerializeAsString()));
  return frame.SerializeAsString();
}

TEST(ExchangeFramesTest, MoreDataThanMayBeSentIsNotGenuine) {
  for (const size_t size : {wire::kMaxDataBytes, wire::kMaxDataBytes + 1, size_t{65'500}}) {
    World w;
    w.relay.on_deliver = [&](int author, uint64_t number, std::string& frame) {
      if (author == 1 && number == 2) frame = SealedByBob(w.bob, size);
    };
    StartAlice(w);
    StartBob(w);
    w.Run(Seconds(10));
    if (size == wire::kMaxDataBytes) {
      EXPECT_EQ(w.alice.data, std::vector<std::string>{std::string(size, 'x')});
      continue;
    }
    EXPECT_TRUE(w.alice.data.empty());
    EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kForged) << w.alice.failure();
    EXPECT_EQ(w.alice.failure().code(), StatusCode::kAborted);
    EXPECT_EQ(w.relay.closes[0], rendezvous::v1::MOOD_SCARY);
  }
}

// --- Frames behind Sealed 0.

TEST(ExchangeFramesTest, WhatIsBehindThePeersLastFrameIsIgnoredWheneverItComes) {
  // Step by step, so that it comes between any two events.
  for (int events = 0; events < 40; ++events) {
    World w;
    StartAlice(w);
    StartBob(w);
    int seen = 0;
    w.Run(Seconds(1), [&] { return seen++ == events; });
    for (const std::string& frame : {std::string("x"), std::string(), std::string(70'000, 'x')}) {
      for (const uint64_t number : {3, 4, 100}) {
        if (w.alice.has_stream()) w.alice.Do(Received{MessageNumber(number, frame)});
        if (w.bob.has_stream() && number > 3) w.bob.Do(Received{MessageNumber(number, frame)});
      }
    }
    w.Run(Seconds(100));
    EXPECT_TRUE(w.alice.finished()) << events << w.alice.failure();
    EXPECT_TRUE(w.bob.finished()) << events << w.bob.failure();
    for (const auto& request : w.alice.sent) EXPECT_LE(request.ack().number(), 2u);
  }
}

TEST(ExchangeFramesTest, AnOpenedThatNamesFramesBehindTheLastIsOneLikeAnyOther) {
  World w;
  w.relay.on_opened = [](Opened& o) {
    if (o.peer_stored() > 0) o.set_peer_stored(o.peer_stored() + 10);
  };
  ExchangeConfig alice = InitiatorConfig();
  alice.check_in = true;
  alice.timeout = absl::Hours(2);
  StartAlice(w, alice);
  StartBob(w);
  w.Run(Seconds(20));
  EXPECT_TRUE(w.alice.finished()) << w.alice.failure();
  EXPECT_TRUE(w.bob.finished()) << w.bob.failure();
}

// --- A peer that leaves as if it had finished.

// Both have the key, and bob holds his data back; then he has left.
void LetBobLeave(World& w) {
  RunToVerifiers(w);
  w.bob.Crash();
  w.Run(Seconds(1));
  w.relay.channels[4].left[1] = true;
}

void ExpectUnfinished(const World& w) {
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kPeerUnfinished) << w.alice.failure();
  EXPECT_EQ(w.alice.failure().code(), StatusCode::kAborted);
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{MOOD_ERRORY});
  EXPECT_TRUE(w.alice.over);
}

TEST(ExchangeFramesTest, APeerThatLeftUnfinishedIsNotWaitedFor) {
  World w;
  LetBobLeave(w);
  w.alice.LoseStream();  // the next Opened says it
  w.Run(Seconds(1));
  ExpectUnfinished(w);
}

TEST(ExchangeFramesTest, APeerStatusOfItAsksForAnOpened) {
  World w;
  LetBobLeave(w);
  const size_t opens = w.alice.opens.size();
  w.alice.Do(Received{PeerLeft()});
  EXPECT_TRUE(w.alice.has_stream());
  w.Run(Seconds(2));
  EXPECT_EQ(w.alice.opens.size(), opens + 1);
  ExpectUnfinished(w);
}

// Our post crosses its leaving: the relay says PEER_LEFT, and the log decides as above.
TEST(ExchangeFramesTest, APostThatFindsThePeerGoneEndsTheSame) {
  World w;
  LetBobLeave(w);
  const size_t opens = w.alice.opens.size();
  w.alice.Do(AcceptVerifier{true});  // posts Sealed 0
  w.Run(Seconds(1));
  EXPECT_EQ(w.alice.opens.size(), opens + 1);
  ExpectUnfinished(w);
}

// A peer that has sent all of its own and left without ours has not dealt with this state, whether
// we hear first of its data or that it is gone.
TEST(ExchangeFramesTest, APeerThatLeftWithoutOursIsStaleInEitherOrder) {
  for (const bool gone_first : {false, true}) {
    World w;
    RunToVerifiers(w);
    w.lose_response = [&](const Party& party, const FakeRelay::Response& r) {
      return gone_first && &party == &w.alice && r.has_message() && w.alice.opens.size() == 1;
    };
    w.bob.Do(AcceptVerifier{true});  // posts Sealed 0
    w.Run(Milliseconds(100));
    w.bob.Crash();
    w.Run(Seconds(1));
    w.relay.channels[4].left[1] = true;
    w.alice.Do(AcceptVerifier{true});
    w.Run(Seconds(10));
    EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kStaleState) << w.alice.failure();
    EXPECT_EQ(w.alice.opens.size(), gone_first ? 3u : 2u);
    EXPECT_EQ(w.relay.closes, std::vector<Mood>{MOOD_ERRORY});
  }
}

// A relay that says it for ever makes the client neither spin nor end otherwise than by its time.
TEST(ExchangeFramesTest, PeerLeftForEverIsALostStream) {
  World w;
  StartAlice(w);
  w.refuse_open = [] { return error::Make(error::ErrorDetail::REASON_PEER_LEFT, "x"); };
  w.alice.LoseStream();
  w.Run();
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kTimeout) << w.alice.failure();
  EXPECT_LE(w.alice.opens.size(), 380u);
}

// PeerStatus and Message overtake each other.
TEST(ExchangeFramesTest, AFrameBehindTheWordOfLeavingIsTaken) {
  for (const bool lost : {false, true}) {
    World w;
    std::vector<FakeRelay::Response> held;
    w.lose_response = [&](const Party& party, const FakeRelay::Response& r) {
      if (&party != &w.alice || r.message().number() != 2) return false;
      held.push_back(r);
      return held.size() == 1;
    };
    StartAlice(w);
    StartBob(w);
    w.Run(Milliseconds(500));
    ASSERT_EQ(held.size(), 1u);
    w.alice.Do(Received{PeerLeft()});
    w.Run(Milliseconds(500));
    EXPECT_TRUE(w.alice.failures.empty());
    if (!lost) w.alice.Do(Received{held[0]});
    w.Run(Seconds(20));
    EXPECT_TRUE(w.alice.finished()) << lost << w.alice.failure();
    EXPECT_EQ(w.alice.opens.size(), lost ? 2u : 1u);
  }
}

// A receiver gives no answer to one that is gone already.
TEST(ExchangeFramesTest, NobodyAnswersAnInitiatorThatHasLeft) {
  World w;
  StartAlice(w);
  w.alice.Crash();
  w.Run(Seconds(1));
  w.relay.channels[4].left[0] = true;
  StartBob(w);
  w.Run(Seconds(5));
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kPeerUnfinished) << w.bob.failure();
  for (const auto& request : w.bob.sent) EXPECT_FALSE(request.has_post());
}

// --- A frame that is too long for the relay.

TEST(ExchangeFramesTest, NoFrameAboveTheRelaysLimitIsPosted) {
  World w;
  w.relay.on_opened = [](Opened& o) { o.mutable_limits()->set_max_frame_bytes(10'000); };
  StartAlice(w, InitiatorConfig(std::string(20'000, 'x')));
  StartBob(w);
  w.Run(Seconds(10));
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kRefused) << w.alice.failure();
  EXPECT_TRUE(Contains(Text(w.alice.failure()), "takes at most 10000")) << w.alice.failure();
  EXPECT_TRUE(Contains(Text(w.alice.failure()), "has 32")) << w.alice.failure();
  for (const auto& request : w.alice.sent) EXPECT_LE(request.post().frame().size(), 10'000u);
  EXPECT_EQ(w.relay.closes[0], MOOD_ERRORY);
}

TEST(ExchangeFramesTest, ARelayThatNamesNoLimitTakesEveryFrameThatThereIs) {
  World w;
  w.relay.on_opened = [](Opened& o) { o.mutable_limits()->clear_max_frame_bytes(); };
  StartAlice(w, InitiatorConfig(std::string(wire::kMaxDataBytes, 'x')));
  StartBob(w);
  w.Run(Seconds(10));
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
}

// Alice's first frame was lost, and something before the relay says that it is too large.
void ExhaustOnce(World& w) {
  w.relay.hold_posted = true;
  w.relay.channels[4].logs[0].clear();
  w.alice.LoseStream();
  w.Run(Milliseconds(100));
  w.alice.LoseStream(absl::ResourceExhaustedError("larger than max"));
}

// A proxy that cannot take the frame ends each stream with a RESOURCE_EXHAUSTED of its own.
TEST(ExchangeFramesTest, ABareExhaustionAfterAPostIsFinalTheSecondTime) {
  for (const bool restored : {false, true}) {
    World w;
    StartAlice(w);
    ExhaustOnce(w);
    EXPECT_TRUE(w.alice.failures.empty());
    w.relay.channels[4].logs[0].clear();
    if (restored) {
      w.Run(Milliseconds(500), [&] { return w.alice.has_stream(); });  // saved before
      w.alice.Crash();
      ASSERT_TRUE(w.alice.Restore(w.alice.saves.back()).ok());
      w.alice.Start();
    }
    w.Run(Milliseconds(900));
    ASSERT_TRUE(w.alice.sent.back().has_post()) << "one more try";
    w.alice.LoseStream(absl::ResourceExhaustedError("larger than max"));
    EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kRefused) << w.alice.failure();
    EXPECT_EQ(w.alice.failure().code(), StatusCode::kResourceExhausted);
    w.Run(Seconds(5));
    EXPECT_EQ(w.relay.closes, std::vector<Mood>{MOOD_ERRORY});
  }
}

// The frames are wiped then: there is nothing that could be too large.
TEST(ExchangeFramesTest, ABareExhaustionOfAnExchangeThatIsOverChangesNothing) {
  World w;
  StartAlice(w);
  ExhaustOnce(w);
  w.relay.channels[4].logs[0].clear();
  w.Run(Milliseconds(900));
  ASSERT_TRUE(w.alice.sent.back().has_post());
  w.alice.Do(Cancel{});
  ASSERT_TRUE(w.alice.sent.back().has_close());
  w.alice.LoseStream(absl::ResourceExhaustedError("larger than max"));
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled) << w.alice.failure();
  w.Run(Seconds(10));
  EXPECT_EQ(w.alice.failures.size(), 1u);
}

TEST(ExchangeFramesTest, AnExhaustionWithoutAPostIsALostStream) {
  World w;
  StartAlice(w);
  for (int i = 0; i < 5; ++i) {
    w.alice.LoseStream(absl::ResourceExhaustedError("too many streams"));
    w.Run(Seconds(2));
  }
  EXPECT_TRUE(w.alice.failures.empty());
  StartBob(w);
  w.Run();
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
}

}  // namespace
}  // namespace wormhole::core
