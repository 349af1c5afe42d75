#include "client/core/saved_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "client/core/exchange.h"
#include "client/core/testing/exchange_world.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::Seconds;
using absl::StatusCode;
using nlohmann::json;

// States of every stage of an exchange, of both sides.
const std::vector<std::string>& States() {
  static const std::vector<std::string>* const states = [] {
    std::set<std::string> found;
    for (const bool verify : {false, true}) {
      World w;
      ExchangeConfig alice = InitiatorConfig();
      alice.confirm_verifier = verify;
      if (verify) alice.code = "77-zoo-zoo";
      w.alice.Create(alice);
      found.insert(w.alice.exchange()->Serialize());
      w.alice.Start();
      w.Run(Seconds(1));
      ExchangeConfig bob = ReceiverConfig(w.alice.code);
      bob.wait = bob.confirm_verifier = verify;
      w.bob.Create(bob);
      w.bob.Start();
      bool accepted = false;
      w.Run(Seconds(10), [&] {
        found.insert(w.alice.exchange()->Serialize());
        found.insert(w.bob.exchange()->Serialize());
        if (!w.alice.verifiers.empty() && !w.bob.verifiers.empty() && !accepted) {
          accepted = true;
          w.alice.Do(AcceptVerifier{true});
          w.bob.Do(AcceptVerifier{true});
        }
        return w.alice.over && w.bob.over;
      });
      EXPECT_TRUE(w.alice.finished() && w.bob.finished());
    }
    World w;
    w.alice.Create(InitiatorConfig());
    w.alice.Start();
    w.Run(Seconds(1));
    w.alice.Do(Cancel{});
    found.insert(w.alice.exchange()->Serialize());
    w.Run();
    found.insert(w.alice.exchange()->Serialize());
    return new std::vector<std::string>(found.begin(), found.end());
  }();
  return *states;
}

TEST(SavedStateTest, RoundTripsAndIsPrintable) {
  EXPECT_GE(States().size(), 15u);
  for (const std::string& text : States()) {
    const absl::StatusOr<ExchangeState> state = ParseState(text);
    ASSERT_TRUE(state.ok()) << state.status() << text;
    EXPECT_EQ(SerializeState(*state), text);
    EXPECT_TRUE(
        std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
  }
}

// Older builds did not write these two; a hostile one writes too much.
TEST(SavedStateTest, WhatAnExchangeHasReachedMayBeAbsent) {
  for (const std::string& text : States()) {
    json object = json::parse(text);
    for (const char* field : {"posted", "exhausted"}) ASSERT_EQ(object.erase(field), 1u);
    const absl::StatusOr<ExchangeState> state = ParseState(object.dump());
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(state->posted, 0u);
    EXPECT_EQ(state->exhausted, 0u);
    for (const char* field : {"posted", "exhausted"}) {
      json wrong = json::parse(text);
      wrong[field] = 4;
      EXPECT_FALSE(ParseState(wrong.dump()).ok()) << field;
    }
  }
}

TEST(SavedStateTest, OtherAlphabetsSurvive) {
  SeededRandom random(1);
  ExchangeConfig config = InitiatorConfig(std::string("\0\xff\x80", 3));
  config.app_id = "\xc3\xa9xample.org/\xe2\x82\xac";
  const auto exchange = Exchange::Create(config, true, &random);
  ASSERT_TRUE(exchange.ok()) << exchange.status();
  const auto state = ParseState((*exchange)->Serialize());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->terms.app_id, config.app_id);
  EXPECT_EQ(state->terms.data, config.data);
}

// A state with something more in it that no state has.
std::string DeeplyNested(const std::string& good) {
  return good.substr(0, good.size() - 1) + ",\"x\":" + std::string(300'000, '[') +
         std::string(300'000, ']') + "}";
}

TEST(SavedStateTest, AnythingElseIsRefused) {
  const std::string good = States()[0];
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("null"), std::string("[]"),
        std::string("\"x\""), std::string("{\"format\":\"wormhole-sync-state\"}"),
        good.substr(0, good.size() - 1), good + "x", "\xef\xbb\xbf" + good + good,
        std::string(200'000, '['), std::string(400'000, '[') + std::string(400'000, ']'),
        "{\"a\":" + std::string(400'000, '[') + "\"x\"" + std::string(400'000, ']') + "}",
        DeeplyNested(good), std::string(1 << 21, ' '), std::string("\xff\xfe")}) {
    const auto state = ParseState(text);
    EXPECT_EQ(state.status().code(), StatusCode::kInvalidArgument) << text.substr(0, 50);
    EXPECT_EQ(ReasonOf(state.status()), Reason::kInvalidArgument);
  }
}

TEST(SavedStateTest, NewerAndBurntStates) {
  for (const std::string& text : States()) {
    json state = json::parse(text);
    state["version"] = 2;
    EXPECT_EQ(ParseState(state.dump()).status().code(), StatusCode::kFailedPrecondition);
    state = json{{"format", "wormhole-sync-state"}, {"version", 2}};  // whatever else it may hold
    EXPECT_EQ(ParseState(state.dump()).status().code(), StatusCode::kFailedPrecondition);
    state = json::parse(text);
    state["burnt"] = true;
    EXPECT_EQ(ParseState(state.dump()).status().code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(ParseState(state.dump()).status()), Reason::kWrongCode);
  }
}

TEST(SavedStateTest, AMessageNamesTheFieldAndNoValue) {
  json state = json::parse(States()[0]);
  const std::string token = state["token"];
  state["token"] = token + "AAAA";
  const absl::Status status = ParseState(state.dump()).status();
  EXPECT_NE(status.message().find("\"token\""), absl::string_view::npos) << status;
  EXPECT_EQ(status.message().find(token), absl::string_view::npos);
}

// Runs what was accepted against a relay that has nothing, and one that lies; then it must end.
void Exercise(const std::string& text, uint64_t seed) {
  World w(seed);
  if (!w.alice.Restore(text).ok()) return;
  EXPECT_EQ(json::parse(w.alice.exchange()->Serialize()),
            json::parse(SerializeState(*ParseState(text))));
  SeededRandom dice(seed);
  w.relay.on_opened = [&](rendezvous::v1::Opened& o) {
    o.set_stored(dice.Below(4));
    o.set_peer_cursor(dice.Below(4));
  };
  w.alice.Start();
  if (dice.Below(2) == 0) {
    FakeRelay::Response opened;
    opened.mutable_opened()->set_state(rendezvous::v1::Opened::STATE_ATTACHED);
    const json state = json::parse(text);
    opened.mutable_opened()->set_channel_id(std::max<uint32_t>(
        1, std::max(state["channel_id"].get<uint32_t>(), state["agreed_id"].get<uint32_t>())));
    opened.mutable_opened()->set_stored(dice.Below(4));
    opened.mutable_opened()->set_peer_cursor(dice.Below(4));
    opened.mutable_opened()->set_peer_stored(dice.Below(4));
    w.alice.Do(Received{opened});
    FakeRelay::Response message;
    message.mutable_message()->set_number(state["cursor"].get<uint64_t>() + 1);
    message.mutable_message()->set_frame("x");
    w.alice.Do(Received{message});
    w.alice.Do(AcceptVerifier{true});
  }
  w.Run(Seconds(2));
  w.alice.Do(Cancel{});
  w.Run(Seconds(40));
  EXPECT_TRUE(w.alice.over) << text;
}

bool Accepted(const std::string& text) { return ParseState(text).ok(); }

// One field at a time: gone, of another type, out of range, of another state.
TEST(SavedStateTest, MutatedFieldsAreRefusedOrMakeAConsistentExchange) {
  const std::vector<json> values = {nullptr,
                                    true,
                                    false,
                                    0,
                                    1,
                                    2,
                                    3,
                                    4,
                                    -1,
                                    1.5,
                                    1e300,
                                    UINT64_MAX,
                                    "",
                                    "x",
                                    "AAAA",
                                    "0:1",
                                    "receiver",
                                    "initiator",
                                    std::string(100, 'A'),
                                    json::array(),
                                    json::array({"AAAA"}),
                                    json::object()};
  uint64_t seed = 1;
  int accepted = 0, refused = 0;
  for (const std::string& text : States()) {
    const json original = json::parse(text);
    for (const auto& [field, old] : original.items()) {
      json state = original;
      state.erase(field);
      std::vector<json> tries = {};
      const auto judge = [&](const json& mutated) {
        const std::string changed = mutated.dump();
        if (!Accepted(changed)) {
          ++refused;
          return;
        }
        ++accepted;
        if (++seed % 7 == 0) Exercise(changed, seed);
      };
      judge(state);
      for (const json& value : values) {
        state[field] = value;
        judge(state);
      }
      const json other = json::parse(States()[seed % States().size()]);
      if (other.contains(field)) {
        state[field] = other[field];
        judge(state);
      }
    }
  }
  EXPECT_GT(refused, 5000);
  EXPECT_GT(accepted, 100);
}

TEST(SavedStateTest, RandomDamageNeverCrashes) {
  SeededRandom dice(11);
  int accepted = 0;
  for (int i = 0; i < 8'000; ++i) {
    std::string text = States()[dice.Below(static_cast<uint32_t>(States().size()))];
    for (uint32_t n = 1 + dice.Below(3); n > 0; --n) {
      const size_t at = dice.Below(static_cast<uint32_t>(text.size()));
      switch (dice.Below(4)) {
        case 0:
          text[at] = static_cast<char>(dice.Below(256));
          break;
        case 1:
          text[at] = "0123456789truefalsnABab+/=\",:[]{}"[dice.Below(33)];
          break;
        case 2:
          text.erase(at, 1 + dice.Below(4));
          break;
        default:
          text.insert(at,
                      text.substr(dice.Below(static_cast<uint32_t>(text.size())), dice.Below(20)));
      }
    }
    if (!Accepted(text)) continue;
    ++accepted;
    if (accepted % 20 == 0) Exercise(text, i);
  }
  EXPECT_GT(accepted, 20);
}

}  // namespace
}  // namespace wormhole::core
