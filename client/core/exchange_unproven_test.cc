// A guess in the initiator's role: somebody who has the receiver's answer can test one guess with
// it and leave. The receiver's failure says so, whatever becomes of its channel.
#include <functional>
#include <utility>
#include <vector>

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

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
std::string Text(const absl::Status& status) { return std::string(status.message()); }

constexpr char kCode[] = "77-zoo-zoo";

// A receiver that waits for a number, and somebody who allocates it with `guess` for a code. Ends
// when he has tested the guess with the receiver's answer, and knows whether it was right.
void Guess(World& w, const std::string& guess, bool check_in = false) {
  ExchangeConfig bob = ReceiverConfig(kCode);
  bob.wait = true;
  bob.check_in = check_in;
  if (check_in) bob.timeout = absl::Hours(2);
  StartBob(w, bob);
  w.Run(Seconds(1));
  ExchangeConfig mallory = InitiatorConfig();
  mallory.code = guess;
  bool knows = false;
  w.alice.crash_before = [&](const Effect& effect) {
    knows = knows || std::holds_alternative<Failed>(effect) ||
            std::holds_alternative<VerifierReady>(effect);
    return knows;  // and says nothing
  };
  w.alice.Create(mallory);
  w.alice.Start();
  w.Run(Seconds(5), [&] { return knows; });
  ASSERT_TRUE(knows);
  ASSERT_TRUE(w.bob.failures.empty());
}

void ExpectUnproven(World& w, const std::string& what) {
  ASSERT_EQ(w.bob.failures.size(), 1u) << what;
  EXPECT_EQ(w.bob.failure().code(), StatusCode::kUnauthenticated) << what << w.bob.failure();
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kUnproven) << what << w.bob.failure();
  EXPECT_TRUE(Contains(Text(w.bob.failure()), "treat this as a guess")) << w.bob.failure();
  EXPECT_TRUE(w.bob.over) << what;
  EXPECT_TRUE(w.bob.data.empty() && w.bob.verifiers.empty());
  EXPECT_TRUE(Contains(w.bob.saves.back(), "\"burnt\":true")) << what;
  EXPECT_EQ(ReasonOf(w.bob.Restore(w.bob.saves.back())), Reason::kWrongCode) << what;
}

TEST(ExchangeUnprovenTest, AGuesserWhoLeavesIsNoticedWhetherHeWasRightOrNot) {
  for (const char* guess : {"77-zoo-zone", kCode}) {
    for (const Mood mood : {rendezvous::v1::MOOD_LONELY, rendezvous::v1::MOOD_ERRORY,
                            rendezvous::v1::MOOD_HAPPY, rendezvous::v1::MOOD_UNSPECIFIED}) {
      World w;
      Guess(w, guess);
      w.relay.EndChannel(77, mood);
      w.Run(Seconds(5));
      ExpectUnproven(w, std::string(guess) + " " + std::to_string(mood));
    }
  }
}

TEST(ExchangeUnprovenTest, AGuesserWhoLeavesHappyIsNoticed) {
  World w;
  Guess(w, "77-zoo-zone");
  w.relay.channels[77].left[0] = true;
  w.bob.LoseStream();
  w.Run(Seconds(5));
  ExpectUnproven(w, "left");
  EXPECT_EQ(w.relay.closes.back(), rendezvous::v1::MOOD_ERRORY);
}

// A ttl of a second, a check-in that finds the number forgotten or given to others, a word of the
// relay.
TEST(ExchangeUnprovenTest, AChannelThatIsGoneIsNoExcuse) {
  for (const ErrorDetail::Reason reason :
       {ErrorDetail::REASON_EXPIRED, ErrorDetail::REASON_NEVER_ALLOCATED,
        ErrorDetail::REASON_NOT_MEMBER, ErrorDetail::REASON_PEER_LEFT}) {
    for (const bool check_in : {false, true}) {
      World w;
      Guess(w, "77-zoo-zone", check_in);
      w.refuse_open = [&] { return error::Make(reason, "x"); };
      if (!check_in) w.bob.LoseStream();
      w.Run(Seconds(20));
      ExpectUnproven(w, ErrorDetail::Reason_Name(reason));
    }
  }
}

TEST(ExchangeUnprovenTest, ScaryStaysAWrongCode) {
  World w;
  Guess(w, "77-zoo-zone");
  w.relay.EndChannel(77, rendezvous::v1::MOOD_SCARY);
  w.Run(Seconds(5));
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kWrongCode);
}

// An end with a reason of its own keeps it, and warns as well: the relay's operator, or somebody
// who has the receiver's token, can bring about each of these.
TEST(ExchangeUnprovenTest, EveryOtherEndWarns) {
  using How = std::function<void(World&)>;
  const auto ended = [](ErrorDetail::Reason reason) {
    return How([reason](World& w) { w.bob.LoseStream(error::Make(reason, "x")); });
  };
  const auto opened = [](std::function<void(rendezvous::v1::Opened&)> change) {
    return How([change](World& w) {
      w.relay.on_opened = change;
      w.bob.LoseStream();
    });
  };
  const auto again = [](absl::Status status) {
    return How([status](World& w) {
      w.relay.hold_posted = true;
      w.relay.on_opened = [](rendezvous::v1::Opened& o) { o.set_stored(0); };
      for (int i = 0; i < 10; ++i) {
        w.bob.LoseStream(status);
        w.Run(Seconds(2));
      }
    });
  };
  const std::vector<std::pair<Reason, How>> ends = {
      {Reason::kTimeout, [](World&) {}},
      {Reason::kCancelled, [](World& w) { w.bob.Do(Cancel{}); }},
      {Reason::kRefused, ended(ErrorDetail::REASON_WINDOW)},
      {Reason::kRefused, ended(ErrorDetail::REASON_CONFLICT)},
      {Reason::kTaken, ended(ErrorDetail::REASON_TAKEN)},
      {Reason::kCrowded, ended(ErrorDetail::REASON_CROWDED)},
      {Reason::kNotAuthorized,
       [](World& w) { w.bob.LoseStream(absl::UnauthenticatedError("a token of yesterday")); }},
      {Reason::kRefused, again(absl::ResourceExhaustedError("message larger than max"))},
      {Reason::kRefused, opened([](rendezvous::v1::Opened& o) {
         o.set_stored(0);
         o.mutable_limits()->set_max_frame_bytes(50);
       })},
      {Reason::kStaleState, ended(ErrorDetail::REASON_STALE_STATE)},
      {Reason::kStaleState, opened([](rendezvous::v1::Opened& o) { o.set_stored(9); })},
      {Reason::kStaleState,
       [](World& w) {
         FakeRelay::Response status;
         status.mutable_peer_status()->set_peer_cursor(99);
         w.bob.Do(Received{status});
       }},
      {Reason::kInUseElsewhere, again(error::Make(ErrorDetail::REASON_SUPERSEDED, "x"))},
  };
  for (size_t i = 0; i < ends.size(); ++i) {
    World w;
    Guess(w, "77-zoo-zone");
    ends[i].second(w);
    w.Run(Seconds(200));
    EXPECT_EQ(ReasonOf(w.bob.failure()), ends[i].first) << i << w.bob.failure();
    EXPECT_TRUE(Contains(Text(w.bob.failure()), "treat this as a guess")) << i << w.bob.failure();
  }
}

// Nothing has been given out before the answer, nor is anything open once the initiator has proved.
TEST(ExchangeUnprovenTest, NobodyElseIsWarned) {
  World before;
  StartAlice(before);
  before.relay.EndChannel(4, rendezvous::v1::MOOD_LONELY);
  before.Run();
  EXPECT_EQ(ReasonOf(before.alice.failure()), Reason::kPeerGaveUp);
  World after;
  RunToVerifiers(after);
  after.relay.EndChannel(4, rendezvous::v1::MOOD_LONELY);
  after.Run();
  for (const Party* party : {&after.alice, &after.bob}) {
    EXPECT_EQ(ReasonOf(party->failure()), Reason::kPeerGaveUp);
    EXPECT_FALSE(Contains(Text(party->failure()), "guess"));
  }
}

}  // namespace
}  // namespace wormhole::core
