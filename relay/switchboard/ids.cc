#include "relay/switchboard/ids.h"

#include <algorithm>
#include <utility>

namespace wormhole::relay {

Ids::Ids(const ChannelCaps& caps, std::function<uint32_t(uint32_t bound)> random_below)
    : caps_(caps), random_below_(std::move(random_below)) {}

std::optional<Refusal> Ids::Full(const std::string& app_id) const {
  const auto reaches = [](uint64_t active, uint64_t ended, uint64_t cap) {
    return cap != 0 && (active >= cap || ended >= ChannelCaps::kEndedForActive * cap);
  };
  sync::MutexLock lock(mutex_);
  if (reaches(taken_, ended_, caps_.in_all)) return Refusal::kChannelsInAll;
  const auto pool = pools_.find(app_id);
  if (pool == pools_.end()) return std::nullopt;
  if (reaches(pool->second.count(IdState::kTaken), Ended(pool->second), caps_.per_app)) {
    return Refusal::kChannelsOfApp;
  }
  return std::nullopt;
}

size_t Ids::Ended(const IdPool& pool) {
  return pool.count(IdState::kSpent) + pool.count(IdState::kResting);
}

std::optional<IdPool::Drawn> Ids::Draw(const std::string& app_id, int min_digits) {
  sync::MutexLock lock(mutex_);
  const std::optional<IdPool::Drawn> drawn = pools_[app_id].Draw(min_digits, random_below_);
  if (drawn) {
    Tally(drawn->spent ? IdState::kSpent : IdState::kFree, -1);
    Tally(IdState::kTaken, +1);
  }
  return drawn;
}

void Ids::Set(const ChannelKey& key, IdState state) {
  sync::MutexLock lock(mutex_);
  const auto pool = pools_.try_emplace(key.app_id).first;
  Tally(pool->second.state(key.id), -1);
  Tally(state, +1);
  pool->second.Set(key.id, state);
  if (pool->second.empty()) pools_.erase(pool);
}

void Ids::Tally(IdState state, int step) {
  if (state == IdState::kTaken) taken_ += step;
  if (state == IdState::kSpent || state == IdState::kResting) ended_ += step;
}

void Ids::Count(SwitchboardCounts& counts) const {
  sync::MutexLock lock(mutex_);
  counts.apps = pools_.size();
  counts.active_channels = taken_;
  counts.resting_channels = ended_;
}

std::vector<AppView> Ids::ListApps(const std::string& after, size_t limit) const {
  std::vector<AppView> apps;
  sync::MutexLock lock(mutex_);
  for (auto pool = pools_.upper_bound(after); pool != pools_.end() && apps.size() < limit; ++pool) {
    apps.push_back({.app_id = pool->first,
                    .active_channels = pool->second.count(IdState::kTaken),
                    .resting_channels = Ended(pool->second)});
  }
  return apps;
}

std::vector<ChannelKey> Ids::List(const std::string& app_id, const ChannelKey& after,
                                  size_t limit) const {
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

}  // namespace wormhole::relay
