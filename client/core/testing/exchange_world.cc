#include "client/core/testing/exchange_world.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "gtest/gtest.h"

namespace wormhole::core {
namespace {

const char* NameOf(const Effect& effect) {
  constexpr const char* kNames[] = {"Save",      "OpenStream",    "Send",      "DropStream",
                                    "CodeReady", "VerifierReady", "DataReady", "Failed",
                                    "Progress",  "Over"};
  return kNames[effect.index()];
}

}  // namespace

void Party::Create(ExchangeConfig config, bool saving) {
  auto exchange = Exchange::Create(std::move(config), saving, &world_.random);
  ASSERT_TRUE(exchange.ok()) << exchange.status();
  exchange_ = *std::move(exchange);
  saving_ = saving;
  fresh_ = true;
  over = false;
}

absl::Status Party::Restore(const std::string& state, bool saving) {
  auto exchange = Exchange::Restore(state, saving, "", &world_.random);
  if (!exchange.ok()) return exchange.status();
  exchange_ = *std::move(exchange);
  saving_ = saving;
  fresh_ = true;
  over = false;
  return absl::OkStatus();
}

void Party::Do(Event event) {
  if (!exchange_) return;
  std::vector<Effect> todo = exchange_->Step(std::move(event), world_.Now());
  for (Effect& effect : todo) {
    if (crash_before && crash_before(effect)) return Crash();
    if (std::holds_alternative<Save>(effect) && on_save) {
      if (absl::Status status = on_save(); !status.ok()) return Do(SaveFailed{status});
    }
    CarryOut(std::move(effect));
  }
}

void Party::CarryOut(Effect effect) {
  ++effects;
  EXPECT_FALSE(over) << name_ << ": " << NameOf(effect) << " after Over";
  trace.push_back(NameOf(effect));
  if (auto* save = std::get_if<Save>(&effect)) {
    EXPECT_TRUE(saving_);
    if (!saves.empty() && !fresh_) {
      EXPECT_NE(saves.back(), save->state) << name_ << " saved without a change";
    }
    fresh_ = false;
    saves.push_back(std::move(save->state));
  } else if (auto* open = std::get_if<OpenStream>(&effect)) {
    Open(open->open);
  } else if (auto* send = std::get_if<Send>(&effect)) {
    EXPECT_TRUE(stream_ != nullptr) << name_;
    Transmit(std::move(send->request));
  } else if (const auto* drop = std::get_if<core::DropStream>(&effect)) {
    drops.push_back(drop->silent);
    DropStream();
  } else if (auto* ready = std::get_if<CodeReady>(&effect)) {
    if (!code.empty()) {
      EXPECT_EQ(code, ready->code);
    }
    code = ready->code;
    if (saving_) {
      const auto saved = nlohmann::json::parse(saves.back());
      EXPECT_EQ(saved["channel_id"], std::stoul(code));
    }
  } else if (auto* verifier = std::get_if<VerifierReady>(&effect)) {
    verifiers.push_back(verifier->words);
  } else if (auto* told = std::get_if<DataReady>(&effect)) {
    data.push_back(told->data);
    if (saving_ && !fresh_) {
      EXPECT_TRUE(nlohmann::json::parse(saves.back())["finished"]) << name_;
    }
  } else if (auto* failed = std::get_if<Failed>(&effect)) {
    failures.push_back(failed->status);
  } else if (auto* line = std::get_if<ProgressEvent>(&effect)) {
    progress.push_back(*line);
  } else {
    over = true;
    EXPECT_TRUE(stream_ == nullptr) << name_ << ": over with a stream";
    EXPECT_FALSE(exchange_->NextWake().has_value());
  }
}

// The rules of section 7: what must have been saved before this is sent.
void Party::CheckSaved(const rendezvous::v1::AttachRequest& request) const {
  if (!saving_ || request.has_heartbeat()) return;
  ASSERT_FALSE(saves.empty()) << name_;
  const auto saved = nlohmann::json::parse(saves.back());
  const uint64_t cursor = saved["cursor"];
  if (request.has_open()) {
    EXPECT_GE(cursor, request.open().cursor()) << name_;
  }
  if (request.has_ack()) {
    EXPECT_GE(cursor, request.ack().number()) << name_;
  }
  if (request.has_close()) {
    EXPECT_EQ(saved["mood"], static_cast<int>(request.close().mood()));
  }
  if (request.has_post()) {
    const uint64_t made = saved["dropped"].get<uint64_t>() + saved["frames"].size();
    EXPECT_GE(made, request.post().number()) << name_;
  }
}

void Party::Open(const rendezvous::v1::AttachRequest& open) {
  DropStream();
  opens.push_back(world_.now());
  auto stream = std::make_shared<FakeRelay::Stream>();
  stream_ = stream;
  const std::weak_ptr<FakeRelay::Stream> weak = stream;
  stream->send = [this, weak](FakeRelay::Response response) {
    if (world_.lose_response && world_.lose_response(*this, response)) return;
    world_.After(world_.latency, [this, weak, response = std::move(response)] {
      if (stream_ && stream_ == weak.lock()) Do(Received{response});
    });
  };
  stream->end = [this, weak](absl::Status status) {
    world_.After(world_.latency, [this, weak, status = std::move(status)] {
      if (!stream_ || stream_ != weak.lock()) return;
      DropStream();
      Do(Ended{status});
    });
  };
  if (world_.relay_down) return stream->end(absl::UnavailableError("connection refused"));
  if (world_.refuse_open) {
    if (const auto status = world_.refuse_open()) return stream->end(*status);
  }
  Transmit(open);
}

void Party::Transmit(rendezvous::v1::AttachRequest request) {
  CheckSaved(request);
  sent.push_back(request);
  world_.After(world_.latency, [this, stream = stream_, request = std::move(request)] {
    if (!stream->ended) world_.relay.Receive(stream, request);
  });
}

void Party::DropStream() {
  if (!stream_) return;
  // What was sent before still arrives.
  world_.After(world_.latency, [this, stream = stream_] { world_.relay.Detach(stream); });
  stream_.reset();
}

void Party::Crash() {
  DropStream();
  exchange_.reset();
}

void Party::LoseStream(absl::Status status) {
  if (!stream_) return;
  DropStream();
  Do(Ended{std::move(status)});
}

World::World(uint64_t seed) : random(seed), alice(*this, "alice"), bob(*this, "bob") {}

Instant World::Now() const { return {absl::FromUnixSeconds(1'700'000'000) + now_, now_}; }

void World::At(absl::Duration when, std::function<void()> what) {
  queue_[{when, sequence_++}] = std::move(what);
}

bool World::RunNext(absl::Duration limit) {
  absl::Duration next = queue_.empty() ? absl::InfiniteDuration() : queue_.begin()->first.first;
  Party* wake = nullptr;
  for (Party* party : {&alice, &bob}) {
    if (!party->exchange()) continue;
    const std::optional<absl::Duration> at = party->exchange()->NextWake();
    if (at && *at < next) {
      next = *at;
      wake = party;
    }
  }
  if (next == absl::InfiniteDuration()) return false;
  if (next > limit) {
    now_ = limit;
    return false;
  }
  now_ = std::max(now_, next);
  if (wake != nullptr) {
    wake->Do(Wake{});
  } else {
    const auto first = queue_.begin();
    const std::function<void()> what = std::move(first->second);
    queue_.erase(first);
    what();
  }
  return true;
}

void World::Run(absl::Duration at_most, std::function<bool()> until) {
  const absl::Duration limit = now_ + at_most;
  int steps = 0;
  while (!(until && until()) && RunNext(limit)) {
    ASSERT_LT(++steps, 200'000) << "it spins";
  }
}

ExchangeConfig InitiatorConfig(std::string data) {
  ExchangeConfig config;
  config.role = pake::Role::kInitiator;
  config.app_id = "example.com/app1";
  config.relay = "relay.example.com:443";
  config.data = std::move(data);
  return config;
}

ExchangeConfig ReceiverConfig(std::string code, std::string data) {
  ExchangeConfig config = InitiatorConfig(std::move(data));
  config.role = pake::Role::kReceiver;
  config.code = std::move(code);
  return config;
}

void StartAlice(World& w, ExchangeConfig config) {
  w.alice.Create(std::move(config));
  w.alice.Start();
  w.Run(absl::Seconds(1));
}

void StartBob(World& w) { StartBob(w, ReceiverConfig(w.alice.code)); }

void StartBob(World& w, ExchangeConfig config) {
  w.bob.Create(std::move(config));
  w.bob.Start();
}

void RunToVerifiers(World& w) {
  ExchangeConfig alice = InitiatorConfig();
  alice.confirm_verifier = true;
  StartAlice(w, alice);
  ExchangeConfig bob = ReceiverConfig(w.alice.code);
  bob.confirm_verifier = true;
  StartBob(w, bob);
  w.Run(absl::Seconds(1));
  ASSERT_EQ(w.alice.verifiers.size(), 1u);
  ASSERT_EQ(w.bob.verifiers.size(), 1u);
}

}  // namespace wormhole::core
