#include "relay/switchboard/switchboard.h"

#include <atomic>
#include <memory>
#include <utility>

#include "proto/wire/limits.h"
#include "relay/switchboard/channel_listing.h"
#include "relay/switchboard/channel_op.h"
#include "relay/switchboard/entrance.h"
#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/registry.h"
#include "relay/switchboard/responses.h"
#include "relay/switchboard/store_watch.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {
namespace {

// Most channels of one scan for what is due. The next scan starts when all of them are done.
constexpr size_t kDueAtOnce = 1000;

class SwitchboardOverStore final : public Switchboard {
 public:
  explicit SwitchboardOverStore(std::shared_ptr<Registry> registry)
      : registry_(std::move(registry)),
        entrance_(std::make_shared<Entrance>(registry_)),
        watch_(registry_) {}

  ~SwitchboardOverStore() override {
    registry_->store().StopTelling();
    registry_->Shutdown();
  }

  absl::Status Start() { return registry_->store().Start(&watch_); }

  std::shared_ptr<Attachment> Attach(std::shared_ptr<Sink> sink, StreamOrigin origin) override {
    auto stream = std::make_shared<StreamAttachment>(entrance_, std::move(sink), origin);
    entrance_->Enter(stream);
    return stream;
  }

  void Tick() override {
    if (registry_->streams().refused()) Drain();
    EndUnopenedStreams();
    EndSilentStreams();
    EndStuckStreams();
    EndOldStreams();
    ResumePaused();
    ScanForDue();
  }

  SwitchboardCounts Count() override {
    SwitchboardCounts counts;
    registry_->ids().Count(counts);
    counts.streams = registry_->streams().size();
    for (const auto& channel : registry_->channels().All()) {
      const Occupancy occupancy = channel->occupancy();
      counts.waiting += occupancy.waiting;
      for (Role role : kRoles) {
        if (!occupancy.here[role]) continue;
        ++(occupancy.attached[Other(role)] ? counts.sides_paired : counts.sides_alone);
      }
    }
    return counts;
  }

  std::vector<AppView> ListApps(const std::string& after, size_t limit) override {
    return registry_->ids().ListApps(after, limit);
  }

  void ListChannels(const std::string& app_id, const ChannelKey& after, size_t limit,
                    std::function<void(absl::StatusOr<ChannelPage>)> done) override {
    ListChannelPage(registry_, app_id, after, limit, std::move(done));
  }

  void Drain() override {
    registry_->streams().Refuse();
    for (const auto& stream : registry_->streams().All()) Drain(*stream, registry_->RetryDelay());
  }

 private:
  static void Drain(StreamAttachment& stream, absl::Duration delay) {
    stream.Dismiss(DrainingResponse(delay), relay::Draining(delay));
  }

  void EndSilentStreams() {
    const absl::Duration silence = wire::kSilentHeartbeats * registry_->options().heartbeat;
    for (const auto& stream : registry_->streams().SilentSince(registry_->steady_now() - silence)) {
      stream->Dismiss(std::nullopt,
                      absl::UnavailableError("nothing was heard from the client for two and a "
                                             "half heartbeats; resume on a new stream"));
    }
  }

  void EndUnopenedStreams() {
    const absl::Duration timeout = registry_->options().open_timeout;
    if (timeout == absl::InfiniteDuration()) return;
    for (const auto& stream :
         registry_->streams().UnopenedSince(registry_->steady_now() - timeout)) {
      stream->Dismiss(std::nullopt,
                      absl::UnavailableError("no Open has come in time; open a new stream and say "
                                             "at once what it is for"));
    }
  }

  // Asked twice within the time: what is stuck from one question to the next reads nothing.
  void EndStuckStreams() {
    const absl::Duration timeout = registry_->options().write_timeout;
    const absl::Duration now = registry_->steady_now();
    if (timeout == absl::InfiniteDuration() || now < next_stuck_check_) return;
    next_stuck_check_ = now + timeout / 2;
    for (const auto& stream : registry_->streams().All()) {
      if (!stream->IsStuck()) continue;
      stream->Dismiss(std::nullopt,
                      absl::UnavailableError("the client does not read what the relay has for it; "
                                             "resume on a new stream"));
    }
  }

  // They may come back at once: nobody goes away, and they do not all grow old together.
  void EndOldStreams() {
    if (registry_->options().max_stream_age == absl::InfiniteDuration()) return;
    for (const auto& stream : registry_->streams().OldAt(registry_->steady_now()))
      Drain(*stream, absl::ZeroDuration());
  }

  void ResumePaused() {
    for (const auto& channel : registry_->channels().TakePaused()) channel->Resume();
    registry_->budgets().Forget(registry_->steady_now());
  }

  void ScanForDue() {
    if (scanning_->exchange(true)) return registry_->store().Flush();
    // The scan is over when the last operation has let go of this.
    std::shared_ptr<void> batch(nullptr, [scanning = scanning_](void*) { scanning->store(false); });
    registry_->store().Due(
        registry_->wall_now(), kDueAtOnce,
        [registry = registry_, batch](const absl::StatusOr<std::vector<ChannelKey>>& due) {
          if (!due.ok()) return;  // the next Tick scans again
          for (const ChannelKey& key : *due) {
            registry->Submit(key, {.what = DueOp{.batch = batch}});
          }
        });
    registry_->store().Flush();
  }

  const std::shared_ptr<Registry> registry_;
  const std::shared_ptr<Entrance> entrance_;
  StoreWatch watch_;
  absl::Duration next_stuck_check_ = -absl::InfiniteDuration();  // of the thread that ticks
  const std::shared_ptr<std::atomic<bool>> scanning_ = std::make_shared<std::atomic<bool>>(false);
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
