#include "tests/bench/seeded_relay.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "proto/wire/side.h"
#include "sodium.h"
#include "tests/bench/latch.h"
#include "tests/bench/usage.h"
#include "tests/store/start_store.h"

namespace wormhole::bench {
namespace {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(EXIT_FAILURE);
}

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  randombytes_buf(bytes.data(), size);
  return bytes;
}

std::string AppName(int number) { return "example.com/app-" + std::to_string(number); }

AttachRequest Allocation(const std::string& app_id, uint32_t min_digits) {
  AttachRequest request;
  request.mutable_open()->set_app_id(app_id);
  request.mutable_open()->set_token(RandomBytes(wire::kTokenBytes));
  request.mutable_open()->mutable_allocate()->set_min_digits(min_digits);
  return request;
}

// A stream without a network: takes the answer to its allocation, and the end after its close.
class AnswerSink final : public relay::Sink {
 public:
  AnswerSink(size_t digits, Latch* answered, Latch* closed)
      : digits_(digits), answered_(answered), closed_(closed) {}

  void Send(AttachResponse response) override {
    if (!response.has_opened()) return;
    id_ = response.opened().channel_id();
    if (std::to_string(id_).size() != digits_)
      Die("an allocation got the id " + std::to_string(id_));
    answered_->CountDown();
  }
  void End(absl::Status status) override {
    if (!status.ok()) Die("an allocation failed: " + status.ToString());
    closed_->CountDown();
  }
  void ReadMore() override {}
  void Flush() override {}
  size_t Backlog() const override { return 0; }

  uint32_t id() const { return id_; }

 private:
  const size_t digits_;
  Latch* const answered_;
  Latch* const closed_;
  uint32_t id_ = 0;
};

void Seed(relay::Store& store, const std::string& app_id, uint32_t first, uint32_t last) {
  constexpr uint32_t kAtOnce = 10'000;
  for (uint32_t id = first; id <= last;) {
    const uint32_t end = std::min(last + 1, id + kAtOnce);
    Latch stored(static_cast<int>(end - id));
    for (; id < end; ++id) {
      store.Put({app_id, id}, 0,
                relay::NewChannel(RandomBytes(wire::kSideBytes), "", /*named=*/false,
                                  absl::Hours(24), absl::Now(), relay::ChannelLimits()),
                {}, [&stored](const absl::StatusOr<relay::PutOutcome>& outcome) {
                  if (!outcome.ok() || *outcome != relay::PutOutcome::kDone) Die("Put failed");
                  stored.CountDown();
                });
    }
    store.Flush();
    stored.Wait("channels to be stored");
  }
}

relay::SwitchboardEnvironment Environment() {
  return {.wall_now = [] { return absl::Now(); },
          .steady_now =
              [] { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); },
          .random_below = [](uint32_t bound) { return randombytes_uniform(bound); }};
}

// What ends is gone at the next Tick, so that each batch finds the same.
relay::SwitchboardOptions Options() {
  relay::SwitchboardOptions options;
  options.limits.quarantine = absl::ZeroDuration();
  return options;
}

}  // namespace

SeededRelay::SeededRelay(int apps, uint32_t first, uint32_t last) : apps_(apps) {
  const absl::Status read = relay::StartStore(store_);
  for (int app = 0; app < apps; ++app) Seed(store_, AppName(app), first, last);
  absl::StatusOr<std::unique_ptr<relay::Switchboard>> switchboard =
      relay::Switchboard::Create(Options(), Environment(), &store_);
  if (!read.ok() || !switchboard.ok()) Die("no switchboard: " + switchboard.status().ToString());
  switchboard_ = *std::move(switchboard);
}

AllocationTime SeededRelay::Allocate(int count, uint32_t min_digits, size_t digits) {
  Latch answered(count);
  Latch closed(count);
  std::vector<std::shared_ptr<AnswerSink>> sinks;
  std::vector<std::shared_ptr<relay::Attachment>> streams;
  std::vector<AttachRequest> requests;
  for (int i = 0; i < count; ++i) {
    sinks.push_back(std::make_shared<AnswerSink>(digits, &answered, &closed));
    streams.push_back(switchboard_->Attach(sinks.back(), {}));
    requests.push_back(Allocation(AppName(i % apps_), min_digits));
  }
  const double began = NowMicros();
  const double cpu = OwnCpuMicros();
  for (int i = 0; i < count; ++i) streams[i]->Receive(std::move(requests[i]));
  answered.Wait("allocations");
  const AllocationTime time = {(NowMicros() - began) / count, (OwnCpuMicros() - cpu) / count};

  AttachRequest close;
  close.mutable_close()->set_mood(rendezvous::v1::MOOD_HAPPY);
  for (const auto& stream : streams) stream->Receive(close);
  closed.Wait("closes");
  for (int i = 0; i < count; ++i) {
    streams[i]->Detach();
    AwaitGone({AppName(i % apps_), sinks[i]->id()});
  }
  return time;
}

void SeededRelay::AwaitGone(const relay::ChannelKey& key) {
  for (bool gone = false; !gone;) {
    switchboard_->Tick();
    Latch loaded(1);
    store_.Load(key, [&](const absl::StatusOr<std::optional<relay::ChannelSnapshot>>& channel) {
      if (!channel.ok()) Die("Load failed: " + channel.status().ToString());
      gone = !channel->has_value();
      loaded.CountDown();
    });
    store_.Flush();
    loaded.Wait("a channel to be gone");
  }
}

}  // namespace wormhole::bench
