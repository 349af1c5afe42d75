// Codes, frames and whole exchanges as proto/vectors/make has computed them without a line of
// this code.
#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "client/core/code.h"
#include "client/core/exchange.h"
#include "client/core/handshake.h"
#include "client/core/saved_state.h"
#include "client/core/testing/known_inputs.h"
#include "client/pake/verifier_words.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using nlohmann::json;
using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

TEST(KnownAnswersTest, Codes) {
  const json file = LoadVectors("codes.json");
  for (const json& c : file["cases"]) {
    const absl::StatusOr<Code> code = ParseCode(FromHex(c["typed"]), /*allow_other_words=*/true);
    EXPECT_EQ(code.ok() ? json(code->ToString()) : json(), c["canonical"]) << c["name"];
  }
}

TEST(KnownAnswersTest, VerifierWords) {
  const json file = LoadVectors("verifier_words.json");
  for (const json& c : file["cases"]) {
    const std::string bytes = FromHex(c["verifier"]);
    pake::WipedArray<pake::kVerifierBytes> verifier;
    ASSERT_EQ(bytes.size(), verifier.size());
    std::copy(bytes.begin(), bytes.end(), verifier.data(pake::SecretAccess{}));
    std::string words;
    for (const uint16_t index : pake::VerifierWordIndices(verifier)) {
      words += (words.empty() ? "" : " ") + std::string(Word(index));
    }
    EXPECT_EQ(words, c["words"]);
  }
}

// The state of a member that has accepted the peer's honest frames before `number`.
ExchangeState StateBefore(const json& file, pake::Role role, uint64_t number) {
  auto state = ParseState(KnownSide(file["inputs"], role).exchange().Serialize());
  EXPECT_TRUE(state.ok()) << state.status();
  state->joined = true;
  state->channel_id = file["inputs"]["channel_id"];
  EXPECT_TRUE(MakeDueFrames(*state).ok());
  const json& peers = file[role == pake::Role::kInitiator ? "receiver" : "initiator"];
  while (state->cursor + 1 < number) {
    EXPECT_EQ(TakePeerFrame(*state, FromHex(peers[state->cursor])), FrameVerdict::kAccepted);
    EXPECT_TRUE(MakeDueFrames(*state).ok());
  }
  return *std::move(state);
}

TEST(KnownAnswersTest, FramesOfAnHonestPair) {
  const json file = LoadVectors("frames.json");
  const ExchangeState i = StateBefore(file, pake::Role::kInitiator, 3);
  const ExchangeState r = StateBefore(file, pake::Role::kReceiver, 4);
  for (const auto& [state, name] : {std::pair(&i, "initiator"), std::pair(&r, "receiver")}) {
    ASSERT_EQ(state->frames.size(), file[name].size());
    for (size_t n = 0; n < state->frames.size(); ++n) {
      EXPECT_EQ(ToHex(state->frames[n]), file[name][n]) << name << n;
    }
  }
  EXPECT_EQ(i.peer_data, FromHex(file["inputs"]["data_r"]));
  EXPECT_EQ(r.peer_data, FromHex(file["inputs"]["data_i"]));
}

TEST(KnownAnswersTest, FramesGoodAndBad) {
  const std::map<FrameVerdict, std::string> names = {
      {FrameVerdict::kAccepted, "accepted"},
      {FrameVerdict::kBad, "bad"},
      {FrameVerdict::kNoCommonVersion, "no common version"}};
  const json file = LoadVectors("frames.json");
  for (const json& c : file["cases"]) {
    const auto role = c["reader"] == "initiator" ? pake::Role::kInitiator : pake::Role::kReceiver;
    ExchangeState state = StateBefore(file, role, c["number"]);
    EXPECT_EQ(names.at(TakePeerFrame(state, FromHex(c["frame"]))), c["expect"])
        << c["reader"] << c["number"] << c["name"];
  }
}

TEST(KnownAnswersTest, SavedStates) {
  const json file = LoadVectors("saved_states.json");
  int good = 0;
  for (const json& c : file["cases"]) {
    const absl::StatusOr<ExchangeState> state = ParseState(c["state"].dump());
    EXPECT_EQ(absl::StatusCodeToString(state.status().code()), c["expect"].get<std::string>())
        << c["name"] << state.status();
    if (!state.ok()) continue;
    ++good;
    json again = json::parse(SerializeState(*state));
    if (c["state"].contains("new")) again["new"] = c["state"]["new"];
    EXPECT_EQ(again, c["state"]) << c["name"];
  }
  EXPECT_EQ(good, 9);
}

// One side of a transcript.
class Teller {
 public:
  Teller(const json& inputs, pake::Role role) : side_(inputs, role) {}

  void Do(Event event) {
    for (Effect& effect : side_.exchange().Step(std::move(event), kNow)) {
      if (auto* open = std::get_if<OpenStream>(&effect)) said_.push_back(open->open);
      if (auto* send = std::get_if<Send>(&effect)) said_.push_back(send->request);
      if (auto* ready = std::get_if<DataReady>(&effect)) data_ = ready->data;
      if (auto* failed = std::get_if<Failed>(&effect)) failure_ = failed->status;
    }
  }

  // Checks one step of the transcript.
  void Follow(const json& step) {
    if (!started_) Do(Start{});
    started_ = true;
    const std::string way = step["way"];
    if (way == "says") {
      ASSERT_FALSE(said_.empty()) << step;
      EXPECT_EQ(ToHex(said_.front().SerializeAsString()), step["bytes"]) << step["what"];
      return said_.pop_front();
    }
    if (way == "comes to") {
      if (step.contains("data")) {
        EXPECT_EQ(data_, FromHex(step["data"]));
      } else {
        EXPECT_EQ(step["what"], "wrong code");
        EXPECT_EQ(ReasonOf(failure_), Reason::kWrongCode) << failure_;
      }
      return;
    }
    ASSERT_TRUE(said_.empty()) << step << said_.front().ShortDebugString();
    if (way == "hears") {
      AttachResponse response;
      ASSERT_TRUE(response.ParseFromString(FromHex(step["bytes"])));
      EXPECT_EQ(ToHex(response.SerializeAsString()), step["bytes"]);
      return Do(Received{response});
    }
    ASSERT_EQ(way, "stream ends");
    Do(Ended{error::FromWire(step["code"], step["message"].get<std::string>(),
                             FromHex(step["envelope"]))});
  }

  bool silent() const { return said_.empty(); }

 private:
  static constexpr Instant kNow{absl::UnixEpoch(), absl::Hours(1)};
  KnownSide side_;
  bool started_ = false;
  std::deque<AttachRequest> said_;
  std::optional<std::string> data_;
  absl::Status failure_;
};

TEST(KnownAnswersTest, ExchangesByteByByte) {
  const json file = LoadVectors("exchanges.json");
  for (const json& exchange : file["exchanges"]) {
    SCOPED_TRACE(exchange["name"]);
    Teller initiator(exchange["inputs"], pake::Role::kInitiator);
    Teller receiver(exchange["inputs"], pake::Role::kReceiver);
    for (const json& step : exchange["steps"]) {
      (step["side"] == "initiator" ? initiator : receiver).Follow(step);
      if (testing::Test::HasFatalFailure()) return;
    }
    EXPECT_TRUE(initiator.silent() && receiver.silent());
  }
}

}  // namespace
}  // namespace wormhole::core
