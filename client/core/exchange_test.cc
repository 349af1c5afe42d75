// The whole way of an exchange when all goes well, and what Create refuses.
#include "client/core/exchange.h"

#include <algorithm>

#include "client/core/code.h"
#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Seconds;
using rendezvous::v1::Mood;
using rendezvous::v1::MOOD_HAPPY;

// Both sides, from the start, with the code passed on by hand.
void RunBoth(World& w, ExchangeConfig alice, ExchangeConfig bob, bool saves = true) {
  w.alice.Create(std::move(alice), saves);
  w.alice.Start();
  w.Run(Seconds(1), [&] { return !w.alice.code.empty(); });
  ASSERT_FALSE(w.alice.code.empty());
  bob.code = w.alice.code;
  w.bob.Create(std::move(bob), saves);
  w.bob.Start();
  w.Run();
}

void ExpectBothFinished(const World& w) {
  EXPECT_TRUE(w.alice.finished()) << w.alice.failure();
  EXPECT_TRUE(w.bob.finished()) << w.bob.failure();
  EXPECT_EQ(w.alice.data, std::vector<std::string>{"from bob"});
  EXPECT_EQ(w.bob.data, std::vector<std::string>{"from alice"});
}

TEST(ExchangeTest, TwoPartiesExchangeTheirData) {
  World w;
  RunBoth(w, InitiatorConfig(), ReceiverConfig(""));
  ExpectBothFinished(w);
  ASSERT_EQ(w.alice.verifiers.size(), 1u);
  EXPECT_EQ(std::count(w.alice.verifiers[0].begin(), w.alice.verifiers[0].end(), ' '), 7);
  EXPECT_EQ(w.alice.verifiers, w.bob.verifiers);
  EXPECT_EQ(w.relay.closes, (std::vector<Mood>{MOOD_HAPPY, MOOD_HAPPY}));
  EXPECT_LT(w.now(), Seconds(1001));
  // Before the first Open; with the code and frame 1; with the key; with the peer's data.
  EXPECT_EQ(w.alice.saves.size(), 4u);
  EXPECT_EQ(w.alice.code.substr(0, 2), "4-");
}

TEST(ExchangeTest, WithoutAHookNothingIsSaved) {
  World w;
  RunBoth(w, InitiatorConfig(), ReceiverConfig(""), /*saves=*/false);
  ExpectBothFinished(w);
  EXPECT_TRUE(w.alice.saves.empty());
}

TEST(ExchangeTest, DataOfEverySizeThatIsAllowed) {
  for (const size_t size : {0, 1, 255, 65'000}) {
    World w;
    RunBoth(w, InitiatorConfig(std::string(size, 'a')),
            ReceiverConfig("", std::string(size, '\0')));
    EXPECT_EQ(w.alice.data, std::vector<std::string>{std::string(size, '\0')});
    EXPECT_EQ(w.bob.data, std::vector<std::string>{std::string(size, 'a')});
  }
}

TEST(ExchangeTest, BothDeriveTheSameKeys) {
  World w;
  w.alice.Create(InitiatorConfig());
  uint8_t early[32];
  EXPECT_EQ(w.alice.exchange()->DeriveKey("x", {early, 32}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(w.alice.exchange()->Verifier().status().code(), absl::StatusCode::kFailedPrecondition);
  w.alice.Start();
  w.Run(Seconds(1));
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run();
  uint8_t a[64], b[64], c[64];
  ASSERT_TRUE(w.alice.exchange()->DeriveKey("x", {a, 64}).ok());
  ASSERT_TRUE(w.bob.exchange()->DeriveKey("x", {b, 64}).ok());
  ASSERT_TRUE(w.bob.exchange()->DeriveKey("y", {c, 64}).ok());
  EXPECT_TRUE(std::equal(a, a + 64, b));
  EXPECT_FALSE(std::equal(a, a + 64, c));
  const absl::Status too_short = w.bob.exchange()->DeriveKey("y", {c, 15});
  EXPECT_EQ(too_short.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(too_short), Reason::kInvalidArgument);
  EXPECT_EQ(*w.alice.exchange()->Verifier(), w.bob.verifiers[0]);
}

TEST(ExchangeTest, ACodeAgreedBeforehand) {
  World w;
  ExchangeConfig alice = InitiatorConfig();
  alice.code = " 77-Zoo-ABANDON\n";
  RunBoth(w, alice, ReceiverConfig(""));
  ExpectBothFinished(w);
  EXPECT_EQ(w.alice.code, "77-zoo-abandon");
  EXPECT_EQ(w.alice.sent[0].open().allocate().channel_id(), 77u);
}

TEST(ExchangeTest, AReceiverThatComesFirst) {
  World w;
  ExchangeConfig bob = ReceiverConfig("77-zoo-abandon");
  bob.wait = true;
  w.bob.Create(bob);
  w.bob.Start();
  w.Run(Seconds(60));
  EXPECT_EQ(w.bob.progress.back().kind, ProgressEvent::Kind::kWaiting);
  ExchangeConfig alice = InitiatorConfig();
  alice.code = "77-zoo-abandon";
  w.alice.Create(alice);
  w.alice.Start();
  w.Run();
  ExpectBothFinished(w);
  // Heartbeats went on while waiting.
  EXPECT_GE(std::count_if(w.bob.sent.begin(), w.bob.sent.end(),
                          [](const auto& r) { return r.has_heartbeat(); }),
            2);
}

TEST(ExchangeTest, AReceiverLongAfterTheInitiator) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(150));
  EXPECT_FALSE(w.alice.over);
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run();
  ExpectBothFinished(w);
  EXPECT_EQ(w.alice.opens.size(), 1u);
}

TEST(ExchangeTest, TheOpenSaysWhatWasAskedFor) {
  World w;
  ExchangeConfig config = InitiatorConfig();
  config.timeout = Seconds(90) + absl::Milliseconds(250);
  w.alice.Create(config);
  w.alice.Start();
  const rendezvous::v1::Open& open = w.alice.sent[0].open();
  EXPECT_EQ(open.app_id(), "example.com/app1");
  EXPECT_EQ(open.token().size(), 32u);
  EXPECT_EQ(open.cursor(), 0u);
  EXPECT_EQ(open.allocate().ttl().seconds(), 90);
  EXPECT_EQ(open.allocate().ttl().nanos(), 250'000'000);
  EXPECT_EQ(open.allocate().channel_id(), 0u);
  config.ttl = Seconds(3600);
  World other;
  other.alice.Create(config);
  other.alice.Start();
  EXPECT_EQ(other.alice.sent[0].open().allocate().ttl().seconds(), 3600);
  EXPECT_NE(other.alice.sent[0].open().token(), "");
}

TEST(ExchangeTest, ItTellsWhatIsGoingOn) {
  World w;
  w.relay.on_opened = [](rendezvous::v1::Opened& opened) { opened.set_motd("be nice"); };
  RunBoth(w, InitiatorConfig(), ReceiverConfig(""));
  std::vector<ProgressEvent::Kind> kinds;
  for (const ProgressEvent& line : w.alice.progress) kinds.push_back(line.kind);
  EXPECT_EQ(kinds, (std::vector<ProgressEvent::Kind>{
                       ProgressEvent::Kind::kConnecting, ProgressEvent::Kind::kMotd,
                       ProgressEvent::Kind::kWaiting, ProgressEvent::Kind::kPeerArrived}));
  EXPECT_EQ(w.alice.progress[1].text, "be nice");
}

TEST(ExchangeTest, MembersAreToldOfAThirdParty) {
  World w;
  w.alice.Create(InitiatorConfig());
  w.alice.Start();
  w.Run(Seconds(1));
  w.relay.channels[4].tokens[1] = "another";
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run(Seconds(1));
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kCrowded);
  EXPECT_TRUE(w.bob.over);
  EXPECT_EQ(w.alice.progress.back().kind, ProgressEvent::Kind::kThirdParty);
  EXPECT_FALSE(w.alice.over);
  // The next one is told as well, though the relay counts anew with each stream.
  w.alice.LoseStream();
  w.Run(Seconds(1));
  w.alice.progress.clear();
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run(Seconds(5));
  ASSERT_FALSE(w.alice.progress.empty());
  EXPECT_EQ(w.alice.progress.back().kind, ProgressEvent::Kind::kThirdParty);
}

TEST(ExchangeTest, TheVerifierHoldsBackTheDataOfBoth) {
  World w;
  ExchangeConfig alice = InitiatorConfig();
  ExchangeConfig bob = ReceiverConfig("");
  alice.confirm_verifier = true;
  bob.confirm_verifier = true;
  w.alice.Create(alice);
  w.alice.Do(AcceptVerifier{true});  // too early: means nothing
  w.alice.Start();
  w.Run(Seconds(1));
  bob.code = w.alice.code;
  w.bob.Create(bob);
  w.bob.Start();
  w.Run(Seconds(10));
  ASSERT_EQ(w.alice.verifiers.size(), 1u);
  EXPECT_EQ(w.alice.verifiers, w.bob.verifiers);
  EXPECT_EQ(w.relay.channels[4].logs[0].size(), 2u);  // PakeInitiator, Confirm
  EXPECT_EQ(w.relay.channels[4].logs[1].size(), 1u);
  w.alice.Do(AcceptVerifier{true});
  w.Run(Seconds(10));
  EXPECT_EQ(w.relay.channels[4].logs[0].size(), 3u);
  EXPECT_TRUE(w.bob.data.empty());  // it has alice's data, and waits for its own user
  w.bob.Do(AcceptVerifier{true});
  w.Run();
  ExpectBothFinished(w);
}

TEST(ExchangeTest, ARefusedVerifierClosesAsLonely) {
  World w;
  ExchangeConfig alice = InitiatorConfig();
  alice.confirm_verifier = true;
  w.alice.Create(alice);
  w.alice.Start();
  w.Run(Seconds(1));
  w.bob.Create(ReceiverConfig(w.alice.code));
  w.bob.Start();
  w.Run(Seconds(10));
  w.alice.Do(AcceptVerifier{false});
  w.Run();
  EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled);
  EXPECT_EQ(ReasonOf(w.bob.failure()), Reason::kPeerGaveUp);
  EXPECT_EQ(w.relay.closes, std::vector<Mood>{rendezvous::v1::MOOD_LONELY});
  EXPECT_TRUE(w.alice.over && w.bob.over);
  EXPECT_TRUE(w.alice.data.empty() && w.bob.data.empty());
  EXPECT_FALSE(w.alice.exchange()->Verifier().ok());
}

TEST(ExchangeTest, CreateRefusesBadInputBeforeAnythingIsSent) {
  SeededRandom random(1);
  const auto refused = [&](ExchangeConfig config, std::string_view what) {
    const auto exchange = Exchange::Create(std::move(config), true, &random);
    EXPECT_EQ(exchange.status().code(), absl::StatusCode::kInvalidArgument) << what;
    EXPECT_EQ(ReasonOf(exchange.status()), Reason::kInvalidArgument) << what;
    EXPECT_FALSE(exchange.status().message().empty());
  };
  ExchangeConfig c = InitiatorConfig();
  c.app_id = std::string(256, 'a');
  refused(c, "app-id");
  c = InitiatorConfig();
  c.relay = "a b";
  refused(c, "relay");
  refused(InitiatorConfig(std::string(65'001, 'x')), "data");
  refused(ReceiverConfig(""), "no code");
  refused(ReceiverConfig("4-purple-sausages"), "unknown word");
  refused(ReceiverConfig("4"), "no words");
  c = InitiatorConfig();
  c.code = "0-zoo-zoo";
  refused(c, "agreed code");
  for (const size_t words : {0, 1, 9}) {
    c = InitiatorConfig();
    c.words = words;
    refused(c, "words");
  }
  c = InitiatorConfig();
  c.schedule = {{Seconds(1), Seconds(1)}};
  refused(c, "schedule");
  c = InitiatorConfig();
  c.timeout = absl::ZeroDuration();
  refused(c, "no time");
  c.timeout = absl::InfiniteDuration();
  refused(c, "endless");
  c = InitiatorConfig();
  c.ttl = Seconds(179);
  refused(c, "ttl");
}

TEST(ExchangeTest, TheNumberOfWordsIsAnOption) {
  for (size_t words = kMinWords; words <= kMaxWords; ++words) {
    World w;
    ExchangeConfig config = InitiatorConfig();
    config.words = words;
    w.alice.Create(config);
    w.alice.Start();
    w.Run(Seconds(1));
    EXPECT_EQ(std::count(w.alice.code.begin(), w.alice.code.end(), '-'), static_cast<long>(words));
    EXPECT_TRUE(ParseCode(w.alice.code, false).ok());
  }
}

}  // namespace
}  // namespace wormhole::core
