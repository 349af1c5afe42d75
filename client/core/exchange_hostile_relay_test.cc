// What a relay can make a client do by the way it ends streams: at most kMaxStreamsPerMinute.
#include <algorithm>
#include <functional>

#include "client/core/link.h"
#include "client/core/testing/exchange_world.h"
#include "client/core/testing/seeded_random.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Milliseconds;
using absl::Minutes;
using absl::Seconds;
using error::ErrorDetail;
using rendezvous::v1::Opened;
using rendezvous::v1::Presence;

// One thing that a relay may do to the stream that there is.
using Act = std::function<void(Party&)>;

Act Say(const std::function<void(FakeRelay::Response&)>& what) {
  FakeRelay::Response response;
  what(response);
  return [response](Party& party) { party.Do(Received{response}); };
}

Act EndWith(absl::Status status) {
  return [status](Party& party) { party.LoseStream(status); };
}

Act SayOpened(uint64_t stored, Opened::State state, Presence peer, SeededRandom& dice) {
  const int64_t nanos = 100'000'000 * (1 + dice.Below(9));
  return Say([&](FakeRelay::Response& r) {
    Opened& opened = *r.mutable_opened();
    opened.set_state(state);
    opened.set_channel_id(4);
    opened.set_stored(stored);
    opened.set_peer(peer);
    opened.mutable_heartbeat_interval()->set_nanos(static_cast<int32_t>(nanos));
  });
}

Act SayPosted(uint64_t number) {
  return Say([&](FakeRelay::Response& r) { r.mutable_posted()->set_number(number); });
}

Act EndByReason(SeededRandom& dice) {
  constexpr ErrorDetail::Reason kReasons[] = {
      ErrorDetail::REASON_BUSY, ErrorDetail::REASON_DRAINING, ErrorDetail::REASON_STORE_AWAY,
      ErrorDetail::REASON_SUPERSEDED, ErrorDetail::REASON_UNSPECIFIED};
  const ErrorDetail::Reason reason = kReasons[dice.Below(5)];
  const absl::Duration delay = Milliseconds(dice.Below(3) * dice.Below(100));
  return EndWith(error::Make(reason, "again", {.retry_delay = delay}));
}

Act AnyEnd(SeededRandom& dice) {
  switch (dice.Below(5)) {
    case 0:
      return EndWith(absl::OkStatus());
    case 1:
      return EndWith(absl::InternalError("a proxy"));
    case 2:
      return EndWith(absl::ResourceExhaustedError("too large"));
    case 3:
      return EndWith(absl::UnavailableError("reset"));
    default:
      return EndByReason(dice);
  }
}

// A word that ends the stream from the client's side, or one that changes nothing.
Act AnyWord(SeededRandom& dice) {
  switch (dice.Below(6)) {
    case 0:
      return Say([](FakeRelay::Response&) {});
    case 1:
      return Say([](FakeRelay::Response& r) { r.mutable_heartbeat(); });
    case 2:
      return Say([](FakeRelay::Response& r) { r.mutable_message()->set_number(2); });
    case 3:
      return Say([&](FakeRelay::Response& r) {
        r.mutable_peer_status()->set_presence(static_cast<Presence>(dice.Below(5)));
      });
    case 4:
      return Say([](FakeRelay::Response& r) { r.mutable_draining()->mutable_reconnect_delay(); });
    default:
      return SayPosted(dice.Below(4));
  }
}

// What a hostile relay does to each stream, over and over.
std::vector<Act> DrawScript(SeededRandom& dice) {
  std::vector<Act> script;
  const auto state = dice.Below(4) == 0 ? Opened::STATE_WAITING : Opened::STATE_ATTACHED;
  const auto peer = static_cast<Presence>(dice.Below(4));
  if (dice.Below(6) > 0) {
    script.push_back(SayOpened(dice.Below(3) == 0 ? dice.Below(3) : 0, state, peer, dice));
  }
  for (uint32_t n = dice.Below(4); n > 0; --n) {
    script.push_back(dice.Below(2) == 0 ? SayPosted(1) : AnyWord(dice));
  }
  script.push_back(AnyEnd(dice));
  return script;
}

// The most streams that were opened within any minute.
int MostPerMinute(const std::vector<absl::Duration>& opens) {
  size_t first = 0;
  size_t most = 0;
  for (size_t last = 0; last < opens.size(); ++last) {
    while (opens[last] - opens[first] >= Minutes(1)) ++first;
    most = std::max(most, last - first + 1);
  }
  return static_cast<int>(most);
}

// A world whose relay says nothing by itself.
void Silence(World& w, ExchangeConfig config) {
  w.lose_response = [](const Party&, const auto&) { return true; };
  w.relay.channels[4].tokens[0] = config.role == pake::Role::kReceiver ? "another" : "";
  w.alice.Create(std::move(config));
  w.alice.Start();
}

// Plays `draw`n scripts against it for ten minutes.
int Besiege(World& w, SeededRandom& dice, const std::function<std::vector<Act>()>& draw) {
  const absl::Duration end = w.now() + Minutes(10);
  std::vector<Act> script = draw();
  while (w.now() < end && !w.alice.over) {
    if (dice.Below(50) == 0) script = draw();
    if (!w.alice.has_stream()) {
      w.Run(end - w.now(), [&] { return w.alice.has_stream() || w.alice.over; });
    }
    for (const Act& act : script) {
      w.Run(Milliseconds(dice.Below(3)));
      if (w.alice.has_stream()) act(w.alice);
    }
  }
  return MostPerMinute(w.alice.opens);
}

ExchangeConfig DrawConfig(SeededRandom& dice) {
  ExchangeConfig config =
      dice.Below(2) == 0 ? InitiatorConfig() : ReceiverConfig("4-zoo-zoo", "from bob");
  config.wait = config.role == pake::Role::kReceiver && dice.Below(2) == 0;
  config.check_in = dice.Below(6) == 0;
  config.timeout = absl::Hours(48);
  if (dice.Below(4) == 0) config.schedule = {{absl::ZeroDuration(), Milliseconds(10)}};
  return config;
}

TEST(ExchangeHostileRelayTest, NoRelayMakesAClientOpenMoreThanTheStatedNumberOfStreams) {
  int besieged = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    World w(seed);
    SeededRandom dice(seed * 7919);
    Silence(w, DrawConfig(dice));
    const int most = Besiege(w, dice, [&] { return DrawScript(dice); });
    ASSERT_LE(most, kMaxStreamsPerMinute) << "seed " << seed;
    if (!w.alice.over) ++besieged;
  }
  EXPECT_GT(besieged, 50) << "too few of the relays kept their client busy to the end";
}

// The one that was seen: it takes the first frame anew on each stream.
TEST(ExchangeHostileRelayTest, PostedOfTheSameFrameOnEachStreamIsNoProgress) {
  World w;
  SeededRandom dice(1);
  ExchangeConfig config = InitiatorConfig();
  config.timeout = absl::Hours(48);
  Silence(w, config);
  const std::vector<Act> script = {
      SayOpened(0, Opened::STATE_ATTACHED, rendezvous::v1::PRESENCE_ABSENT, dice), SayPosted(1),
      EndWith(absl::UnavailableError("again"))};
  // The default schedule, and the few that are tried sooner.
  EXPECT_LE(Besiege(w, dice, [&] { return script; }), 145);
  EXPECT_FALSE(w.alice.over);
}

// The count of SUPERSEDED is the exchange's, and a restored exchange remembers what it has reached.
TEST(ExchangeHostileRelayTest, SupersededCountsOnThoughEachStreamSaysPosted) {
  for (const bool restored : {false, true}) {
    World w;
    SeededRandom dice(1);
    Silence(w, InitiatorConfig());
    const Act opened = SayOpened(0, Opened::STATE_ATTACHED, rendezvous::v1::PRESENCE_ABSENT, dice);
    const Act superseded = EndWith(error::Make(ErrorDetail::REASON_SUPERSEDED, "another"));
    if (restored) {
      opened(w.alice);
      SayPosted(1)(w.alice);
      w.alice.LoseStream();  // opens the next stream, and saves before
      w.alice.Crash();
      ASSERT_TRUE(w.alice.Restore(w.alice.saves.back()).ok());
      w.alice.opens.clear();
      w.alice.Start();
    }
    for (int i = 0; i < 30 && !w.alice.over; ++i) {
      w.Run(Seconds(2), [&] { return w.alice.has_stream(); });
      opened(w.alice);
      if (i >= 5 || !restored) SayPosted(1)(w.alice);
      superseded(w.alice);
    }
    EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kInUseElsewhere) << w.alice.failure();
    EXPECT_EQ(w.alice.opens.size(), 10u);
  }
}

// Days of waiting see many a lost stream: they are no spin.
TEST(ExchangeHostileRelayTest, AStreamThatWasOpenForLongIsRetriedAtOnce) {
  World w;
  ExchangeConfig config = InitiatorConfig();
  config.timeout = absl::Hours(100);
  config.schedule = {{absl::ZeroDuration(), Seconds(60)}, {Seconds(300), absl::Hours(1)}};
  StartAlice(w, config);
  for (int i = 0; i < 40; ++i) {
    w.Run(absl::Hours(1));
    ASSERT_TRUE(w.alice.has_stream()) << i;
    w.alice.LoseStream();
    EXPECT_EQ(w.alice.opens.back(), w.now()) << i;
  }
}

}  // namespace
}  // namespace wormhole::core
