// Each version reads the saved states of all before it (client/STABILITY.md), and goes on from
// them.
//
// client/core/testing/saved_states has a file for each version, which that version wrote: exchanges
// at each moment at which a side had saved, as the two states and what the relay had then. A file
// is never changed once its version is released. A version that has none yet writes its own with
//   WRITE=client/core/testing/saved_states/VERSION.json bazel-bin/client/core/released_states_test
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/core/sealed_state.h"
#include "client/core/testing/exchange_world.h"
#include "client/core/testing/known_inputs.h"
#include "gtest/gtest.h"
#include "proto/version/version.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using nlohmann::json;

constexpr char kFolder[] = "client/core/testing/saved_states";
constexpr uint32_t kChannel = 4;  // the FakeRelay's first
const std::string kKey(kStateKeyBytes, 'k');

pake::SecretView Key() {
  return pake::SecretView(reinterpret_cast<const unsigned char*>(kKey.data()), kKey.size());
}

// --- The relay's side of a moment.

json ToJson(const FakeRelay::Channel& channel) {
  json made;
  for (const size_t side : {0, 1}) {
    json log = json::array();
    for (const std::string& frame : channel.logs[side]) log.push_back(ToHex(frame));
    made.push_back({{"token", ToHex(channel.tokens[side])},
                    {"left", channel.left[side]},
                    {"log", log},
                    {"forgotten", channel.forgotten[side]},
                    {"accepted", channel.accepted[side]}});
  }
  return made;
}

FakeRelay::Channel ChannelOf(const json& sides) {
  FakeRelay::Channel channel;
  for (const size_t side : {0, 1}) {
    channel.tokens[side] = FromHex(sides[side]["token"]);
    channel.left[side] = sides[side]["left"];
    for (const json& frame : sides[side]["log"]) channel.logs[side].push_back(FromHex(frame));
    channel.forgotten[side] = sides[side]["forgotten"];
    channel.accepted[side] = sides[side]["accepted"];
  }
  return channel;
}

// --- Reading: a moment goes on.

// What is wrong when `state` of one side is restored; empty: nothing.
std::string Restore(Party& party, const json& state) {
  if (state.is_null()) return "";
  const absl::Status status = party.Restore(state);
  return status.ok() ? "" : std::string(status.message());
}

// What is wrong when both sides go on from there; empty: nothing.
std::string GoOn(const json& moment) {
  World w(/*seed=*/2);
  if (!moment["relay"].is_null()) w.relay.channels[kChannel] = ChannelOf(moment["relay"]);
  for (const auto& [party, name] : {std::pair{&w.alice, "alice"}, std::pair{&w.bob, "bob"}}) {
    if (const std::string wrong = Restore(*party, moment[name]); !wrong.empty()) return wrong;
    party->Start();
  }
  w.Run(absl::Seconds(2));
  // A side that had not begun, or not saved.
  if (moment["bob"].is_null()) {
    if (w.alice.code != moment["code"]) return "another code: " + w.alice.code;
    w.bob.Create(ReceiverConfig(w.alice.code));
    w.bob.Start();
  }
  w.Run(absl::Seconds(2));
  for (Party* party : {&w.alice, &w.bob}) {
    if (party->exchange()->asks_for_verifier()) party->Do(AcceptVerifier{true});
  }
  w.Run(absl::Minutes(1));
  const std::string alice = w.alice.failures.empty() ? "OK" : w.alice.failure().ToString();
  const std::string bob = w.bob.failures.empty() ? "OK" : w.bob.failure().ToString();
  if (!w.alice.finished()) return "alice did not finish: " + alice;
  if (!w.bob.finished()) return "bob did not finish: " + bob;
  if (w.alice.data.back() != "from bob") return "alice got something else";
  if (w.bob.data.back() != "from alice") return "bob got something else";
  if (w.alice.verifiers.back() != w.bob.verifiers.back()) return "two verifiers";
  return "";
}

std::vector<std::filesystem::path> Files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    files.push_back(entry.path());
  }
  return files;
}

json Read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

// --- Writing.

void AddMoment(World& w, const std::string& name, json& moments) {
  const auto latest = [](const Party& party) {
    return party.saves.empty() ? json() : json(party.saves.back());
  };
  const auto channel = w.relay.channels.find(kChannel);
  const json relay = channel == w.relay.channels.end() ? json() : ToJson(channel->second);
  moments.push_back({{"name", name},
                     {"code", w.alice.code},
                     {"alice", latest(w.alice)},
                     {"bob", latest(w.bob)},
                     {"relay", relay}});
}

// An exchange, and each moment after which one side or the other had saved.
void AddMoments(const std::string& name, const ExchangeConfig& terms, json& moments) {
  World w;
  ExchangeConfig alice = InitiatorConfig();
  alice.confirm_verifier = terms.confirm_verifier;
  alice.check_in = terms.check_in;
  alice.schedule = terms.schedule;
  w.alice.Create(alice);
  w.alice.Start();
  const auto run = [&w, &name, &moments] {
    size_t seen = 0;
    w.Run(absl::Minutes(1), [&] {
      const size_t saves = w.alice.saves.size() + w.bob.saves.size();
      if (saves != seen) AddMoment(w, name + ", save " + std::to_string(saves), moments);
      seen = saves;
      return w.alice.finished() && w.bob.finished();
    });
  };
  w.Run(absl::Seconds(1));
  AddMoment(w, name + ", the code is shown", moments);
  ExchangeConfig bob = ReceiverConfig(w.alice.code);
  bob.confirm_verifier = terms.confirm_verifier;
  bob.check_in = terms.check_in;
  bob.schedule = terms.schedule;
  w.bob.Create(bob);
  w.bob.Start();
  run();
  if (!terms.confirm_verifier) return;
  w.alice.Do(AcceptVerifier{true});
  w.bob.Do(AcceptVerifier{true});
  run();
}

json Failures() {
  World w;
  StartAlice(w);
  w.alice.Do(Cancel{});
  w.Run(absl::Seconds(1));
  json cancelled = {{"state", w.alice.saves.back()}, {"message", w.alice.failure().message()}};
  return json::array({cancelled});
}

void Write(const std::string& path) {
  json made;
  ExchangeConfig terms;
  AddMoments("face to face", terms, made["moments"]);
  terms.confirm_verifier = true;
  AddMoments("with a verifier", terms, made["moments"]);
  terms.confirm_verifier = false;
  terms.check_in = true;
  AddMoments("check-in", terms, made["moments"]);
  made["cancelled"] = Failures();
  SeededRandom random(1);
  const std::string state = made["moments"][0]["alice"];
  made["sealed"] = {{"state", state}, {"sealed", SealState(state, Key(), random).value()}};
  std::ofstream(path) << made.dump(1) << "\n";
}

// --- The tests.

TEST(ReleasedStatesTest, ThisVersionHasAFile) {
  if (const char* path = std::getenv("WRITE")) Write(path);
  EXPECT_TRUE(std::filesystem::exists(std::string(kFolder) + "/" + kVersion + ".json"))
      << "write it as the top of " << __FILE__ << " says, and commit it";
}

TEST(ReleasedStatesTest, ExchangesGoOn) {
  for (const auto& path : Files()) {
    const json file = Read(path);
    EXPECT_GE(file["moments"].size(), 10u) << path;
    for (const json& moment : file["moments"]) {
      EXPECT_EQ(GoOn(moment), "") << path << ": " << moment["name"];
    }
  }
}

TEST(ReleasedStatesTest, FailuresAreToldAgain) {
  for (const auto& path : Files()) {
    const json file = Read(path);  // outlives the loop, which a temporary's members would not
    for (const json& c : file["cancelled"]) {
      World w;
      ASSERT_EQ(Restore(w.alice, c["state"]), "") << path;
      w.alice.Start();
      EXPECT_EQ(ReasonOf(w.alice.failure()), Reason::kCancelled) << path;
      EXPECT_EQ(std::string(w.alice.failure().message()), c["message"]) << path;
    }
  }
}

TEST(ReleasedStatesTest, SealedOnesOpen) {
  for (const auto& path : Files()) {
    const json c = Read(path)["sealed"];
    const auto opened = OpenSealedState(c["sealed"].get<std::string>(), Key());
    ASSERT_TRUE(opened.ok()) << path << opened.status();
    EXPECT_EQ(*opened, c["state"]) << path;
  }
}

// What these tests are to find: a version that does not know a field by its name, or takes one for
// another.
TEST(ReleasedStatesTest, APlantedMistakeIsFound) {
  const json moment = Read(Files().front())["moments"].back();
  ASSERT_EQ(GoOn(moment), "");
  for (const std::string side : {"alice", "bob"}) {
    const json state = json::parse(moment[side].get<std::string>());
    for (const char* field : {"token", "frames", "prk", "peer_data", "finished"}) {
      ASSERT_TRUE(state.contains(field)) << field;
      json renamed = state;
      renamed.erase(field);
      renamed["renamed"] = state[field];
      json spoiled = moment;
      spoiled[side] = renamed.dump();
      EXPECT_NE(GoOn(spoiled), "") << side << " " << field;
    }
  }
}

}  // namespace
}  // namespace wormhole::core
