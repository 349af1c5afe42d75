#include "relay/switchboard.h"

#include <atomic>
#include <memory>
#include <utility>

#include "relay/attachment.h"
#include "relay/channel_op.h"
#include "relay/refusals.h"
#include "relay/registry.h"
#include "relay/responses.h"

namespace wormhole::relay {
namespace {

// Of one look for what is due; the next look is taken when all of it has been seen to.
constexpr size_t kDueAtOnce = 1000;

// Silence of so many heartbeats ends a stream.
constexpr double kSilentHeartbeats = 2.5;

class SwitchboardOverStore final : public Switchboard {
 public:
  explicit SwitchboardOverStore(std::shared_ptr<Registry> registry)
      : registry_(std::move(registry)) {}

  ~SwitchboardOverStore() override { registry_->Stop(); }

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

  void Drain() override {
    registry_->RefuseStreams();
    for (const auto& stream : registry_->Streams()) Drain(*stream);
  }

 private:
  void Drain(StreamAttachment& stream) {
    const absl::Duration delay = registry_->RetryDelay();
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

  void EndOldStreams() {
    for (const auto& stream : registry_->OldStreams()) Drain(*stream);
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
  const std::shared_ptr<std::atomic<bool>> looking_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Switchboard>> Switchboard::Create(SwitchboardOptions options,
                                                                 SwitchboardEnvironment environment,
                                                                 Store* store) {
  auto registry = std::make_shared<Registry>(std::move(options), std::move(environment), store);
  const absl::Status read = store->ForEach([&registry](const ChannelKey& key, bool ended) {
    registry->SetId(key, ended ? IdState::kResting : IdState::kTaken);
  });
  if (!read.ok()) return read;
  return std::make_unique<SwitchboardOverStore>(std::move(registry));
}

}  // namespace wormhole::relay
