// The known answers of proto/vectors/wormhole_sync_1_kat.json, through whole exchanges with
// scripted randomness.
#include "client/core/handshake.h"

#include <sodium.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "client/core/exchange.h"
#include "client/core/saved_state.h"
#include "client/pake/sealed.h"
#include "gtest/gtest.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::core {
namespace {

using exchange::v1::ExchangeFrame;
using nlohmann::json;

std::string FromHex(const std::string& hex) {
  std::string bytes(hex.size() / 2, '\0');
  sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), hex.data(),
                 hex.size(), nullptr, nullptr, nullptr);
  return bytes;
}

// Gives out what it was given, in this order.
class ScriptedRandom : public RandomSource {
 public:
  explicit ScriptedRandom(std::string script) : script_(std::move(script)) {}
  void Fill(uint8_t* out, size_t size) override {
    ASSERT_LE(size, script_.size());
    std::copy_n(script_.begin(), size, out);
    script_.erase(0, size);
  }
  uint32_t Below(uint32_t) override { return 0; }

 private:
  std::string script_;
};

class HandshakeTest : public testing::TestWithParam<int> {
 protected:
  HandshakeTest() {
    std::ifstream file("proto/vectors/wormhole_sync_1_kat.json");
    kat_ = json::parse(file)["cases"][GetParam()];
    id_ = static_cast<uint32_t>(std::stoul(Text("channel_id")));
  }

  std::string Text(const char* field) const { return kat_[field]; }
  std::string Bytes(const char* field) const { return FromHex(kat_[field]); }

  // A fresh exchange with the case's token, scalar and sid, and its state.
  ExchangeState Side(pake::Role role, const std::string& data) {
    const bool initiator = role == pake::Role::kInitiator;
    ExchangeConfig config;
    config.role = role;
    config.app_id = Text("app_id");
    config.relay = "relay:1";
    config.data = data;
    config.code = Text("channel_id") + "-" + Text("words");
    // 32 zeros after a scalar below the group's order: reducing the 64 bytes gives the scalar.
    ScriptedRandom random(Bytes(initiator ? "token_i" : "token_r") +
                          Bytes(initiator ? "y_i" : "y_r") + std::string(32, '\0') +
                          (initiator ? Bytes("sid") : ""));
    auto exchange = Exchange::Create(config, false, &random);
    EXPECT_TRUE(exchange.ok()) << exchange.status();
    auto state = ParseState((*exchange)->Serialize());
    EXPECT_TRUE(state.ok()) << state.status();
    state->joined = true;
    state->channel_id = id_;
    return *std::move(state);
  }

  static ExchangeFrame Frame(const ExchangeState& state, size_t i) {
    ExchangeFrame frame;
    EXPECT_TRUE(frame.ParseFromString(state.frames.at(i)));
    return frame;
  }

  json kat_;
  uint32_t id_;
};

TEST_P(HandshakeTest, FramesAreTheKnownAnswers) {
  ExchangeState i = Side(pake::Role::kInitiator, "to r");
  ExchangeState r = Side(pake::Role::kReceiver, "to i");
  ASSERT_TRUE(MakeDueFrames(i).ok());
  ASSERT_TRUE(MakeDueFrames(r).ok());
  ASSERT_EQ(i.frames.size(), 1u);
  EXPECT_TRUE(r.frames.empty());
  const auto opening = Frame(i, 0).pake_initiator();
  EXPECT_EQ(opening.sid(), Bytes("sid"));
  EXPECT_EQ(opening.share(), Bytes("Y_i"));
  EXPECT_EQ(opening.associated_data(), Bytes("AD_i"));

  ASSERT_EQ(TakePeerFrame(r, i.frames[0]), FrameVerdict::kAccepted);
  ASSERT_TRUE(MakeDueFrames(r).ok());
  ASSERT_EQ(r.frames.size(), 1u);  // nothing sealed before T_i
  const auto answer = Frame(r, 0).pake_receiver();
  EXPECT_EQ(answer.share(), Bytes("Y_r"));
  EXPECT_EQ(answer.associated_data(), Bytes("AD_r"));
  EXPECT_EQ(answer.tag(), Bytes("T_r"));
  EXPECT_FALSE(r.confirmed);

  ASSERT_EQ(TakePeerFrame(i, r.frames[0]), FrameVerdict::kAccepted);
  EXPECT_TRUE(i.confirmed);
  ASSERT_TRUE(MakeDueFrames(i).ok());
  ASSERT_EQ(i.frames.size(), 3u);
  EXPECT_EQ(Frame(i, 1).confirm().tag(), Bytes("T_i"));
  EXPECT_EQ(std::string(i.prk().string(pake::SecretAccess{})), Bytes("PRK"));

  ASSERT_EQ(TakePeerFrame(r, i.frames[1]), FrameVerdict::kAccepted);
  EXPECT_TRUE(r.confirmed);
  ASSERT_TRUE(MakeDueFrames(r).ok());
  ASSERT_EQ(r.frames.size(), 2u);
  EXPECT_EQ(VerifierText(i), VerifierText(r));

  ASSERT_EQ(TakePeerFrame(i, r.frames[1]), FrameVerdict::kAccepted);
  ASSERT_EQ(TakePeerFrame(r, i.frames[2]), FrameVerdict::kAccepted);
  EXPECT_EQ(i.peer_data, "to i");
  EXPECT_EQ(r.peer_data, "to r");
}

TEST_P(HandshakeTest, TheBoxIsThatOfTheKnownKeys) {
  ExchangeState i = Side(pake::Role::kInitiator, "x");
  ExchangeState r = Side(pake::Role::kReceiver, "x");
  ASSERT_TRUE(MakeDueFrames(i).ok());
  ASSERT_EQ(TakePeerFrame(r, i.frames[0]), FrameVerdict::kAccepted);
  ASSERT_TRUE(MakeDueFrames(r).ok());
  ASSERT_EQ(TakePeerFrame(i, r.frames[0]), FrameVerdict::kAccepted);
  ASSERT_TRUE(MakeDueFrames(i).ok());
  const std::string prk = Bytes("PRK");
  pake::TranscriptHash th;
  std::copy_n(Bytes("TH").begin(), th.size(), th.begin());
  const pake::KeySchedule keys(pake::SecretView(prk), th);
  exchange::v1::Data data;
  data.set_data("x");
  EXPECT_EQ(Frame(i, 2).sealed().box(),
            *pake::Seal(keys, pake::Role::kInitiator, 0, data.SerializeAsString()));
  EXPECT_EQ(Frame(i, 2).sealed().number(), 0u);
}

// The same inputs make the same frames, from any copy.
TEST_P(HandshakeTest, FramesAreMadeAgainAlike) {
  std::vector<std::deque<std::string>> runs;
  for (int run = 0; run < 2; ++run) {
    ExchangeState i = Side(pake::Role::kInitiator, "x");
    ExchangeState r = Side(pake::Role::kReceiver, "y");
    for (int n = 0; n < 3; ++n) {
      ASSERT_TRUE(MakeDueFrames(i).ok());
      while (r.cursor < i.frames.size())
        ASSERT_EQ(TakePeerFrame(r, i.frames[r.cursor]), FrameVerdict::kAccepted);
      ASSERT_TRUE(MakeDueFrames(r).ok());
      while (i.cursor < r.frames.size())
        ASSERT_EQ(TakePeerFrame(i, r.frames[i.cursor]), FrameVerdict::kAccepted);
    }
    EXPECT_EQ(i.frames.size(), 3u);
    EXPECT_EQ(r.frames.size(), 2u);
    runs.push_back(i.frames);
    runs.push_back(r.frames);
  }
  EXPECT_EQ(runs[0], runs[2]);
  EXPECT_EQ(runs[1], runs[3]);
}

TEST_P(HandshakeTest, WordsAndScalarAreWipedOnceTheKeyIsConfirmed) {
  ExchangeState i = Side(pake::Role::kInitiator, "x");
  ExchangeState r = Side(pake::Role::kReceiver, "y");
  ASSERT_TRUE(MakeDueFrames(i).ok());
  ASSERT_EQ(TakePeerFrame(r, i.frames[0]), FrameVerdict::kAccepted);
  ASSERT_TRUE(MakeDueFrames(r).ok());
  EXPECT_GT(r.words().size(), 0u);
  ASSERT_EQ(TakePeerFrame(i, r.frames[0]), FrameVerdict::kAccepted);
  const ExchangeSecrets& secrets = i.secrets.get(pake::SecretAccess{});
  EXPECT_TRUE(sodium_is_zero(secrets.words, sizeof(secrets.words)));
  EXPECT_TRUE(sodium_is_zero(secrets.scalar, sizeof(secrets.scalar)));
  EXPECT_EQ(secrets.words_size, 0u);
  EXPECT_FALSE(sodium_is_zero(secrets.token, sizeof(secrets.token)));
  WipeAll(i);
  EXPECT_TRUE(sodium_is_zero(secrets.prk, sizeof(secrets.prk)));
  EXPECT_TRUE(i.terms.data.empty());
}

TEST_P(HandshakeTest, ABadFrameLeavesTheStateAsItWas) {
  ExchangeState i = Side(pake::Role::kInitiator, "x");
  ExchangeState r = Side(pake::Role::kReceiver, "y");
  ASSERT_TRUE(MakeDueFrames(i).ok());
  ASSERT_EQ(TakePeerFrame(r, i.frames[0]), FrameVerdict::kAccepted);
  ASSERT_TRUE(MakeDueFrames(r).ok());
  const std::string before = SerializeState(i);
  std::string bad = r.frames[0];
  bad.back() = static_cast<char>(bad.back() ^ 1);  // the tag
  EXPECT_EQ(TakePeerFrame(i, bad), FrameVerdict::kBad);
  EXPECT_EQ(TakePeerFrame(i, i.frames[0]), FrameVerdict::kBad);
  EXPECT_EQ(TakePeerFrame(i, ""), FrameVerdict::kBad);
  EXPECT_EQ(SerializeState(i), before);
  EXPECT_EQ(TakePeerFrame(i, r.frames[0]), FrameVerdict::kAccepted);
}

INSTANTIATE_TEST_SUITE_P(Cases, HandshakeTest, testing::Values(0, 1));

}  // namespace
}  // namespace wormhole::core
