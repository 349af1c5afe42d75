#include "relay/switchboard/live_channels.h"

#include <algorithm>
#include <utility>

namespace wormhole::relay {

bool LiveChannels::Submit(const ChannelKey& key, ChannelOp& operation, const Make& make) {
  // A channel that retires between the two steps has taken itself out of the map.
  while (const std::shared_ptr<LiveChannel> channel = FindOrMake(key, make)) {
    if (channel->Submit(operation)) return true;
  }
  return false;
}

std::shared_ptr<LiveChannel> LiveChannels::FindOrMake(const ChannelKey& key, const Make& make) {
  sync::MutexLock lock(mutex_);
  if (shut_down_) return nullptr;
  std::shared_ptr<LiveChannel>& channel = channels_[key];
  if (!channel) channel = make(key);
  return channel;
}

std::shared_ptr<LiveChannel> LiveChannels::Find(const ChannelKey& key) const {
  sync::MutexLock lock(mutex_);
  const auto found = channels_.find(key);
  return found == channels_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<LiveChannel>> LiveChannels::All() const {
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

void LiveChannels::AddPaused(std::shared_ptr<LiveChannel> channel) {
  sync::MutexLock lock(mutex_);
  if (!shut_down_) paused_.push_back(std::move(channel));
}

std::vector<std::shared_ptr<LiveChannel>> LiveChannels::TakePaused() {
  sync::MutexLock lock(mutex_);
  return std::exchange(paused_, {});
}

void LiveChannels::Remove(const ChannelKey& key, const LiveChannel* channel) {
  sync::MutexLock lock(mutex_);
  const auto found = channels_.find(key);
  if (found != channels_.end() && found->second.get() == channel) channels_.erase(found);
}

void LiveChannels::Shutdown() {
  absl::flat_hash_map<ChannelKey, std::shared_ptr<LiveChannel>> channels;
  std::vector<std::shared_ptr<LiveChannel>> paused;  // let go without the lock, as the others
  {
    sync::MutexLock lock(mutex_);
    shut_down_ = true;
    channels.swap(channels_);
    paused.swap(paused_);
  }
  for (const auto& [key, channel] : channels) channel->Shutdown();
}

}  // namespace wormhole::relay
