#include "relay/switchboard/registry.h"

#include <algorithm>
#include <utility>

#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {

Registry::Registry(SwitchboardOptions options, SwitchboardEnvironment environment, Store* store)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      store_(store),
      shared_(store->shared()) {}

void Registry::Submit(const ChannelKey& key, ChannelOp op) {
  // A channel that retires between the two steps has taken itself out of the registry.
  for (;;) {
    const std::shared_ptr<LiveChannel> channel = FindOrMake(key);
    if (!channel) break;
    if (channel->Submit(op)) return;
  }
  if (!op.stream) return;
  op.stream->End(StoreAway(RetryDelay()));
  op.stream->Flush();
}

std::shared_ptr<LiveChannel> Registry::FindOrMake(const ChannelKey& key) {
  sync::MutexLock lock(mutex_);
  if (stopped_) return nullptr;
  std::shared_ptr<LiveChannel>& channel = channels_[key];
  if (!channel) channel = std::make_shared<LiveChannel>(shared_from_this(), key);
  return channel;
}

std::shared_ptr<LiveChannel> Registry::Find(const ChannelKey& key) {
  sync::MutexLock lock(mutex_);
  const auto found = channels_.find(key);
  return found == channels_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<LiveChannel>> Registry::Channels() {
  std::vector<std::shared_ptr<LiveChannel>> channels;
  {
    sync::MutexLock lock(mutex_);
    channels.reserve(channels_.size());
    for (const auto& [key, channel] : channels_) channels.push_back(channel);
  }
  std::sort(channels.begin(), channels.end(),
            [](const auto& a, const auto& b) { return a->key() < b->key(); });
  return channels;
}

void Registry::Remove(const ChannelKey& key, const LiveChannel* channel) {
  sync::MutexLock lock(mutex_);
  const auto found = channels_.find(key);
  if (found != channels_.end() && found->second.get() == channel) channels_.erase(found);
}

std::optional<IdPool::Drawn> Registry::DrawId(const std::string& app_id, int min_digits) {
  sync::MutexLock lock(mutex_);
  const std::optional<IdPool::Drawn> drawn =
      pools_[app_id].Draw(min_digits, environment_.random_below);
  if (drawn) {
    Tally(drawn->rested ? IdState::kResting : IdState::kFree, -1);
    Tally(IdState::kTaken, +1);
  }
  return drawn;
}

void Registry::SetId(const ChannelKey& key, IdState state) {
  sync::MutexLock lock(mutex_);
  const auto pool = pools_.try_emplace(key.app_id).first;
  Tally(pool->second.state(key.id), -1);
  Tally(state, +1);
  pool->second.Set(key.id, state);
  if (pool->second.empty()) pools_.erase(pool);
}

void Registry::Tally(IdState state, int step) {
  if (state == IdState::kTaken) taken_ += step;
  if (state == IdState::kResting) resting_ += step;
}

SwitchboardCounts Registry::Count() {
  sync::MutexLock lock(mutex_);
  return {.apps = pools_.size(),
          .active_channels = taken_,
          .resting_channels = resting_,
          .streams = streams_.size()};
}

std::vector<AppView> Registry::ListApps(const std::string& after, size_t limit) {
  std::vector<AppView> apps;
  sync::MutexLock lock(mutex_);
  for (auto pool = pools_.upper_bound(after); pool != pools_.end() && apps.size() < limit; ++pool) {
    apps.push_back({.app_id = pool->first,
                    .active_channels = pool->second.count(IdState::kTaken),
                    .resting_channels = pool->second.count(IdState::kResting)});
  }
  return apps;
}

std::vector<ChannelKey> Registry::ListIds(const std::string& app_id, const ChannelKey& after,
                                          size_t limit) {
  std::vector<ChannelKey> keys;
  sync::MutexLock lock(mutex_);
  for (auto pool = pools_.lower_bound(std::max(app_id, after.app_id));
       pool != pools_.end() && keys.size() < limit; ++pool) {
    if (!app_id.empty() && pool->first != app_id) break;
    const uint32_t above = pool->first == after.app_id ? after.id : 0;
    for (const uint32_t id : pool->second.Above(above, limit - keys.size())) {
      keys.push_back({.app_id = pool->first, .id = id});
    }
  }
  return keys;
}

void Registry::Add(StreamAttachment* stream) {
  sync::MutexLock lock(mutex_);
  streams_.try_emplace(stream, ++arrivals_);
}

void Registry::Remove(StreamAttachment* stream) {
  sync::MutexLock lock(mutex_);
  streams_.erase(stream);
}

// A stream leaves streams_ before it is destroyed, so that the pointers are good here; one whose
// destruction has begun has no shared_ptr any more.
template <typename Predicate>
std::vector<std::shared_ptr<StreamAttachment>> Registry::StreamsThat(Predicate predicate) {
  std::vector<std::pair<uint64_t, std::shared_ptr<StreamAttachment>>> found;
  {
    sync::MutexLock lock(mutex_);
    for (const auto& [stream, arrival] : streams_) {
      if (!predicate(*stream)) continue;
      if (auto alive = stream->weak_from_this().lock()) {
        found.emplace_back(arrival, std::move(alive));
      }
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::shared_ptr<StreamAttachment>> streams;
  for (auto& [arrival, stream] : found) streams.push_back(std::move(stream));
  return streams;
}

std::vector<std::shared_ptr<StreamAttachment>> Registry::Streams() {
  return StreamsThat([](const StreamAttachment&) { return true; });
}

std::vector<std::shared_ptr<StreamAttachment>> Registry::SilentStreams(
    absl::Duration heard_before) {
  return StreamsThat([heard_before](const StreamAttachment& stream) {
    return stream.IsSilentSince(heard_before);
  });
}

std::vector<std::shared_ptr<StreamAttachment>> Registry::OldStreams() {
  if (options_.max_stream_age == absl::InfiniteDuration()) return {};
  return StreamsThat(
      [now = steady_now()](const StreamAttachment& stream) { return stream.old_at() <= now; });
}

void Registry::RefuseStreams() {
  sync::MutexLock lock(mutex_);
  refuses_streams_ = true;
}

bool Registry::refuses_streams() const {
  sync::MutexLock lock(mutex_);
  return refuses_streams_;
}

void Registry::Shutdown() {
  absl::flat_hash_map<ChannelKey, std::shared_ptr<LiveChannel>> channels;
  {
    sync::MutexLock lock(mutex_);
    stopped_ = true;
    channels.swap(channels_);
  }
  for (const auto& [key, channel] : channels) channel->Shutdown();
}

absl::Duration Registry::RetryDelay() const {
  constexpr uint32_t kSteps = 1000;
  return options_.retry_delay * (0.5 + environment_.random_below(kSteps + 1) / double{kSteps});
}

absl::Duration Registry::StreamAge() const {
  constexpr uint32_t kSteps = 200;
  if (options_.max_stream_age == absl::InfiniteDuration()) return absl::InfiniteDuration();
  return options_.max_stream_age * (0.9 + environment_.random_below(kSteps + 1) / 1000.0);
}

}  // namespace wormhole::relay
