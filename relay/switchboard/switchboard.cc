#include "relay/switchboard/switchboard.h"

#include <atomic>
#include <memory>
#include <utility>

#include "relay/switchboard/channel_listing.h"
#include "relay/switchboard/channel_op.h"
#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/registry.h"
#include "relay/switchboard/responses.h"
#include "relay/switchboard/store_watch.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {
namespace {

// Of one look for what is due; the next look is taken when all of it has been seen to.
constexpr size_t kDueAtOnce = 1000;

// Silence of so many heartbeats ends a stream.
constexpr double kSilentHeartbeats = 2.5;

class SwitchboardOverStore final : public Switchboard {
 public:
  explicit SwitchboardOverStore(std::shared_ptr<Registry> registry)
      : registry_(std::move(registry)), watch_(registry_) {}

  ~SwitchboardOverStore() override {
    registry_->store().Listen(nullptr);
    registry_->Shutdown();
  }

  absl::Status Start() {
    registry_->store().Listen(&watch_);
    return registry_->store().ForEach(
        [this](const ChannelKey& key, bool ended) { watch_.OnId(key, /*exists=*/true, ended); });
  }

  std::shared_ptr<Attachment> Attach(std::shared_ptr<Sink> sink) override {
    auto stream = std::make_shared<StreamAttachment>(registry_, std::move(sink));
    registry_->Add(stream.get());
    return stream;
  }

  void Tick() override {
    if (registry_->refuses_streams()) Drain();
    EndSilentStreams();
    EndOldStreams();
    LookForDue();
  }

  SwitchboardCounts Count() override {
    SwitchboardCounts counts = registry_->Count();
    for (const auto& channel : registry_->Channels()) {
      const LiveChannel::Occupancy occupancy = channel->occupancy();
      counts.waiting += occupancy.waiting;
      for (Role role : kRoles) {
        if (!occupancy.here[role]) continue;
        ++(occupancy.attached[Other(role)] ? counts.sides_paired : counts.sides_alone);
      }
    }
    return counts;
  }

  std::vector<AppView> ListApps(const std::string& after, size_t limit) override {
    return registry_->ListApps(after, limit);
  }

  void ListChannels(const std::string& app_id, const ChannelKey& after, size_t limit,
                    std::function<void(absl::StatusOr<ChannelPage>)> done) override {
    ListChannelPage(registry_, app_id, after, limit, std::move(done));
  }

  void Drain() override {
    registry_->RefuseStreams();
    for (const auto& stream : registry_->Streams()) Drain(*stream, registry_->RetryDelay());
  }

 private:
  static void Drain(StreamAttachment& stream, absl::Duration delay) {
    stream.Dismiss(DrainingResponse(delay), relay::Draining(delay));
  }

  void EndSilentStreams() {
    const absl::Duration silence = kSilentHeartbeats * registry_->options().heartbeat;
    for (const auto& stream : registry_->SilentStreams(registry_->steady_now() - silence)) {
      stream->Dismiss(std::nullopt,
                      absl::UnavailableError("nothing was heard from the client for two and a "
                                             "half heartbeats; resume on a new stream"));
    }
  }

  // They may come back at once: nobody goes away, and they do not all grow old together.
  void EndOldStreams() {
    for (const auto& stream : registry_->OldStreams()) Drain(*stream, absl::ZeroDuration());
  }

  void LookForDue() {
    if (looking_->exchange(true)) return registry_->store().Flush();
    // Lets go of the look when the last op has let go of it.
    std::shared_ptr<void> batch(nullptr, [looking = looking_](void*) { looking->store(false); });
    registry_->store().Due(
        registry_->wall_now(), kDueAtOnce,
        [registry = registry_, batch](const absl::StatusOr<std::vector<ChannelKey>>& due) {
          if (!due.ok()) return;  // the next Tick looks again
          for (const ChannelKey& key : *due) {
            registry->Submit(key, {.kind = ChannelOp::Kind::kDue, .batch = batch});
          }
        });
    registry_->store().Flush();
  }

  const std::shared_ptr<Registry> registry_;
  StoreWatch watch_;
  const std::shared_ptr<std::atomic<bool>> looking_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Switchboard>> Switchboard::Create(SwitchboardOptions options,
                                                                 SwitchboardEnvironment environment,
                                                                 Store* store) {
  auto registry = std::make_shared<Registry>(std::move(options), std::move(environment), store);
  auto switchboard = std::make_unique<SwitchboardOverStore>(std::move(registry));
  if (absl::Status started = switchboard->Start(); !started.ok()) return started;
  return switchboard;
}

}  // namespace wormhole::relay
