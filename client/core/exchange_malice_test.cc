// Peers and relays that cheat: always WrongCode or another typed error, never data.
#include <algorithm>

#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "wormhole/exchange/v1/exchange.pb.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Seconds;
using exchange::v1::ExchangeFrame;

// Runs an exchange in which `tamper` sees each frame on its way to its reader.
void RunTampered(World& w, std::function<void(int, uint64_t, std::string&)> tamper) {
  w.relay.on_deliver = std::move(tamper);
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(1), [&] { return !w.alice.code.empty(); });
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run(Seconds(200), [&] { return w.alice.over && w.bob.over; });
}

// Whether frame `number` of `author` (0: the initiator) is read before its reader has confirmed.
bool BeforeTheKey(int author, uint64_t number) {
  return number == 1 || (author == 0 && number == 2);
}

// The reader of a bad frame fails as section 5 says; the author is told by the relay.
void ExpectRefused(const World& w, int author, uint64_t number, const std::string& what) {
  const Party& reader = author == 0 ? w.bob : w.alice;
  ASSERT_TRUE(reader.data.empty()) << what;
  ASSERT_EQ(reader.failures.size(), 1u) << what;
  EXPECT_EQ(ReasonOf(reader.failure()),
            BeforeTheKey(author, number) ? Reason::kWrongCode : Reason::kForged)
      << what << reader.failure();
  EXPECT_EQ(reader.verifiers.empty(), BeforeTheKey(author, number)) << what;
  EXPECT_TRUE(reader.over) << what;
  EXPECT_EQ(w.relay.closes[0], rendezvous::v1::MOOD_SCARY) << what;
  EXPECT_NE(reader.saves.back().find("\"burnt\":true"), std::string::npos) << what;
}

const std::pair<int, uint64_t> kFrames[] = {{0, 1}, {1, 1}, {0, 2}, {0, 3}, {1, 2}};

TEST(ExchangeMaliceTest, EveryByteOfEveryFrameFlipped) {
  for (const auto& [author, number] : kFrames) {
    for (size_t i = 0;; ++i) {
      World w;
      bool flipped = false;
      bool same = false;
      RunTampered(w, [&, author = author, number = number](int a, uint64_t n, std::string& frame) {
        if (a != author || n != number || i >= frame.size()) return;
        ExchangeFrame before, after;
        before.ParseFromString(frame);
        frame[i] = static_cast<char>(frame[i] ^ (1 << (i % 8)));
        flipped = true;
        // Some flips make an unknown field of one that stands at its default: no change in meaning.
        if (after.ParseFromString(frame)) {
          after.DiscardUnknownFields();
          same = after.SerializeAsString() == before.SerializeAsString();
        }
      });
      if (!flipped) break;
      if (same) continue;
      if (w.bob.failure().message().find("version") != absl::string_view::npos) {
        // The byte with the versions: it says that there is no common one, and closes as errory.
        EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kNoCommonVersion);
        EXPECT_TRUE(author == 0 && number == 1 && w.alice.data.empty() && w.bob.data.empty());
        continue;
      }
      ExpectRefused(w, author, number,
                    "frame " + std::to_string(number) + " of " + std::to_string(author) + " byte " +
                        std::to_string(i));
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(ExchangeMaliceTest, CutLongerAndEmptyFrames) {
  for (const auto& [author, number] : kFrames) {
    for (int how = 0; how < 4; ++how) {
      World w;
      RunTampered(w, [&, author = author, number = number](int a, uint64_t n, std::string& frame) {
        if (a != author || n != number) return;
        if (how == 0) frame.clear();
        if (how == 1) frame.resize(frame.size() - 1);
        if (how == 2) frame += "\x01";
        if (how == 3) frame = std::string(66'000, '\xff');
      });
      ExpectRefused(w, author, number, std::to_string(how));
    }
  }
}

// A relay that joins two who mean different exchanges, though they use the same words.
void ExpectWrongCode(World& w, ExchangeConfig alice, ExchangeConfig bob) {
  w.alice.Create(std::move(alice));
  w.alice.Start();
  w.Run(Seconds(1), [&] { return !w.alice.code.empty(); });
  w.bob.Create(std::move(bob));
  w.bob.Start();
  w.Run(Seconds(200), [&] { return w.alice.over && w.bob.over; });
  for (const Party* party : {&w.alice, &w.bob}) {
    EXPECT_TRUE(party->data.empty() && party->verifiers.empty());
    EXPECT_EQ(ReasonOf(party->failure()), Reason::kWrongCode) << party->failure();
  }
}

TEST(ExchangeMaliceTest, AnotherAppIdWithTheSameWords) {
  World w;
  ExchangeConfig alice = InitiatorConfig();
  ExchangeConfig bob = ReceiverConfig("4-zoo-zone");
  alice.code = "4-zoo-zone";
  bob.app_id = "example.com/another";
  ExpectWrongCode(w, alice, bob);
}

TEST(ExchangeMaliceTest, AnotherChannelIdWithTheSameWords) {
  World w;
  ExchangeConfig alice = InitiatorConfig();
  alice.code = "4-zoo-zone";
  bool from_bob = false;
  w.relay.on_open = [&](rendezvous::v1::Open& open) {
    from_bob = open.has_claim();
    if (from_bob) open.mutable_claim()->set_channel_id(4);
  };
  w.relay.on_opened = [&](rendezvous::v1::Opened& opened) {
    if (from_bob) opened.set_channel_id(5);
  };
  ExpectWrongCode(w, alice, ReceiverConfig("5-zoo-zone"));
}

// Frames of one exchange, as they were posted.
std::vector<std::string> FramesOf(World& w, int author) {
  w.relay.forget = false;
  RunTampered(w, nullptr);
  return w.relay.channels[4].logs[author];
}

TEST(ExchangeMaliceTest, ReplayedFramesOfAnotherExchange) {
  World other(99);
  std::array<std::vector<std::string>, 2> logs;
  logs[0] = FramesOf(other, 0);
  logs[1] = other.relay.channels[4].logs[1];
  for (const auto& [author, number] : kFrames) {
    World w;
    RunTampered(w, [&, author = author, number = number](int a, uint64_t n, std::string& frame) {
      if (a == author && n == number) frame = logs[a][n - 1];
    });
    if (author == 0 && number == 1) {
      // Another's opening is a genuine one with another code: it is the answer that gives it away.
      EXPECT_TRUE(w.alice.data.empty() && w.bob.data.empty());
      EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kWrongCode);
      EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kWrongCode);
      continue;
    }
    ExpectRefused(w, author, number, "replayed");
  }
}

TEST(ExchangeMaliceTest, ReflectedFrames) {
  // Each side gets its own frames back.
  for (const int author : {0, 1}) {
    World w;
    std::string own;
    RunTampered(w, [&](int a, uint64_t n, std::string& frame) {
      if (a == 0 && n == 1) own = frame;
      if (a == author) frame = own;
    });
    EXPECT_TRUE(w.alice.data.empty() && w.bob.data.empty());
    if (author == 1) ExpectRefused(w, 1, 1, "reflected");
  }
  // The shares and associated data of the initiator in a receiver's frame.
  World w;
  ExchangeFrame opening;
  RunTampered(w, [&](int a, uint64_t n, std::string& frame) {
    if (a == 0 && n == 1) opening.ParseFromString(frame);
    if (a != 1 || n != 1) return;
    ExchangeFrame answer;
    answer.ParseFromString(frame);
    answer.mutable_pake_receiver()->set_share(opening.pake_initiator().share());
    frame = answer.SerializeAsString();
  });
  ExpectRefused(w, 1, 1, "own share");
}

TEST(ExchangeMaliceTest, FramesUnderOtherNumbers) {
  for (const auto& [author, number] : kFrames) {
    for (const auto& [other_author, other_number] : kFrames) {
      if (author == other_author && number == other_number) continue;
      World source;  // the same seed: the very same exchange
      std::array<std::vector<std::string>, 2> logs;
      logs[0] = FramesOf(source, 0);
      logs[1] = source.relay.channels[4].logs[1];
      World w;
      RunTampered(w, [&, author = author, number = number, oa = other_author, on = other_number](
                         int a, uint64_t n, std::string& frame) {
        if (a == author && n == number) frame = logs[oa][on - 1];
      });
      ExpectRefused(w, author, number, "swapped");
    }
  }
}

ExchangeFrame Parse(const std::string& bytes) {
  ExchangeFrame frame;
  EXPECT_TRUE(frame.ParseFromString(bytes));
  return frame;
}

TEST(ExchangeMaliceTest, BadShares) {
  const std::vector<std::string> shares = {"",
                                           std::string(31, 'a'),
                                           std::string(33, 'a'),
                                           std::string(32, '\0'),
                                           std::string(32, '\xff'),
                                           std::string(31, '\0') + "\x80"};
  for (const std::string& share : shares) {
    for (const int author : {0, 1}) {
      World w;
      RunTampered(w, [&](int a, uint64_t n, std::string& bytes) {
        if (a != author || n != 1) return;
        ExchangeFrame frame = Parse(bytes);
        if (a == 0) {
          frame.mutable_pake_initiator()->set_share(share);
        } else {
          frame.mutable_pake_receiver()->set_share(share);
        }
        bytes = frame.SerializeAsString();
      });
      ExpectRefused(w, author, 1, "share");
    }
  }
}

TEST(ExchangeMaliceTest, UnknownFieldsAreIgnored) {
  World w;
  RunTampered(w, [](int, uint64_t, std::string& frame) { frame += "\xfa\x01\x03xyz"; });
  EXPECT_TRUE(w.alice.finished() && w.bob.finished());
}

TEST(ExchangeMaliceTest, AProgramWithoutACommonVersion) {
  World w;
  RunTampered(w, [](int a, uint64_t n, std::string& bytes) {
    if (a != 0 || n != 1) return;
    ExchangeFrame frame = Parse(bytes);
    std::string& ad = *frame.mutable_pake_initiator()->mutable_associated_data();
    const size_t version = ad.find("initiator") + 10;
    ASSERT_EQ(ad[version], '\x01');
    ad[version] = '\x02';
    bytes = frame.SerializeAsString();
  });
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kNoCommonVersion);
  EXPECT_EQ(w.bob.failure().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(w.bob.failure().message().find("version"), absl::string_view::npos);
  EXPECT_EQ(w.relay.closes[0], rendezvous::v1::MOOD_ERRORY);
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kAborted);
}

// A relay that plays the peer without the code.
TEST(ExchangeMaliceTest, RandomFramesAreWrongCode) {
  SeededRandom dice(5);
  for (int i = 0; i < 200; ++i) {
    World w;
    const int author = static_cast<int>(dice.Below(2));
    RunTampered(w, [&](int a, uint64_t n, std::string& frame) {
      if (a != author || n != 1) return;
      frame.resize(dice.Below(200));
      dice.Fill(reinterpret_cast<uint8_t*>(frame.data()), frame.size());
    });
    ExpectRefused(w, author, 1, "random");
  }
}

// Any responses in any order: it never crashes, never spins, and gives no data.
TEST(ExchangeMaliceTest, RandomResponsesNeverCrash) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    World w(seed);
    SeededRandom dice(seed * 31);
    ExchangeConfig config = seed % 2 == 0 ? InitiatorConfig() : ReceiverConfig("4-zoo-zoo");
    config.check_in = seed % 5 == 0;
    config.wait = seed % 3 == 0;
    w.alice.Create(config);
    w.alice.Start();
    for (int i = 0; i < 60; ++i) {
      w.Run(absl::Milliseconds(dice.Below(30)));
      FakeRelay::Response r;
      switch (dice.Below(7)) {
        case 0: {
          rendezvous::v1::Opened& o = *r.mutable_opened();
          o.set_state(static_cast<rendezvous::v1::Opened::State>(dice.Below(3)));
          o.set_channel_id(4 + dice.Below(2) * dice.Below(100));
          o.set_stored(dice.Below(6));
          o.set_peer_stored(dice.Below(6));
          o.set_peer_forgotten(dice.Below(3) / 2);
          o.set_peer_cursor(dice.Below(5));
          o.set_left(dice.Below(20) == 0);
          o.set_peer(static_cast<rendezvous::v1::Presence>(dice.Below(5)));
          break;
        }
        case 1:
          r.mutable_message()->set_number(dice.Below(4));
          r.mutable_message()->set_frame(std::string(dice.Below(50), 'x'));
          break;
        case 2:
          r.mutable_posted()->set_number(dice.Below(4));
          break;
        case 3:
          r.mutable_peer_status()->set_presence(
              static_cast<rendezvous::v1::Presence>(dice.Below(5)));
          r.mutable_peer_status()->set_peer_cursor(dice.Below(5));
          r.mutable_peer_status()->set_third_parties(dice.Below(3));
          break;
        case 4:
          r.mutable_draining()->mutable_reconnect_delay()->set_seconds(dice.Below(3));
          break;
        case 5:
          r.mutable_heartbeat();
          break;
        default: {
          const auto reason = static_cast<error::ErrorDetail::Reason>(1 + dice.Below(17));
          w.alice.LoseStream(error::Make(reason, "x", {.retry_delay = Seconds(dice.Below(2))}));
          continue;
        }
      }
      w.alice.Do(Received{r});
    }
    EXPECT_TRUE(w.alice.data.empty());
    EXPECT_TRUE(w.alice.verifiers.empty());
    w.Run(Seconds(400));
    EXPECT_TRUE(w.alice.over) << seed;
  }
}

}  // namespace
}  // namespace wormhole::core
