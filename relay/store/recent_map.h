// A bounded map of what was used lately: whatever was used since the last `capacity` new entries
// is there still. Two generations stand in for an exact order of use.
#ifndef WORMHOLE_RELAY_STORE_RECENT_MAP_H_
#define WORMHOLE_RELAY_STORE_RECENT_MAP_H_

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "absl/hash/hash.h"

namespace wormhole::relay {

template <typename Key, typename Value>
class RecentMap {
 public:
  // Keeps at most twice `capacity` entries after Age().
  explicit RecentMap(size_t capacity) : capacity_(capacity) {}

  // Null when it is not there. Valid until the entry is erased or Age or Clear is called.
  Value* Find(const Key& key) {
    if (const auto found = young_.find(key); found != young_.end()) return &found->second;
    auto node = old_.extract(key);
    if (node.empty()) return nullptr;
    return &young_.insert(std::move(node)).position->second;
  }

  Value* Insert(const Key& key, Value value) {
    old_.erase(key);
    return &young_.insert_or_assign(key, std::move(value)).first->second;
  }

  void Erase(const Key& key) {
    young_.erase(key);
    old_.erase(key);
  }

  // Lets old entries go when there are too many. Called now and then.
  void Age() {
    if (young_.size() < capacity_) return;
    old_ = std::move(young_);
    young_.clear();
  }

  void Clear() {
    young_.clear();
    old_.clear();
  }

 private:
  using Map = std::unordered_map<Key, Value, absl::Hash<Key>>;

  const size_t capacity_;
  Map young_;
  Map old_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_RECENT_MAP_H_
