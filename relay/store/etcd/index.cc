#include "relay/store/etcd/index.h"

#include <algorithm>

namespace wormhole::relay {

bool EtcdIndex::Take(const ChannelKey& key, int64_t revision, const ChannelRecord* record,
                     bool own) {
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    if (revision <= found->second.revision) return false;
    due_.erase({LookedAt(found->second), key});
  }
  if (record == nullptr) {
    if (found != entries_.end()) entries_.erase(found);
    return true;
  }
  const Entry entry{
      .revision = revision, .due_at = record->due_at, .state = IdStateOf(*record), .own = own};
  entries_[key] = entry;
  due_.insert({LookedAt(entry), key});
  return true;
}

std::vector<ChannelKey> EtcdIndex::DropAllBut(const absl::flat_hash_map<ChannelKey, bool>& keys,
                                              int64_t revision) {
  std::vector<ChannelKey> gone;
  for (const auto& [key, entry] : entries_) {
    if (entry.revision <= revision && !keys.contains(key)) gone.push_back(key);
  }
  std::sort(gone.begin(), gone.end());
  for (const ChannelKey& key : gone) Take(key, revision + 1, nullptr, false);
  return gone;
}

void EtcdIndex::Rewind() {
  for (auto& [key, entry] : entries_) entry.revision = 0;
}

void EtcdIndex::ForEach(const std::function<void(const ChannelKey&, IdState state)>& visit) const {
  for (const auto& [key, entry] : entries_) visit(key, entry.state);
}

std::vector<ChannelKey> EtcdIndex::Due(absl::Time now, size_t limit) const {
  std::vector<ChannelKey> keys;
  for (const auto& [time, key] : due_) {
    if (time > now || keys.size() >= limit) break;
    keys.push_back(key);
  }
  return keys;
}

}  // namespace wormhole::relay
