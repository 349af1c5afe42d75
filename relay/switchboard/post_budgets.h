// What channels that are not live have left of their budgets.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_POST_BUDGETS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_POST_BUDGETS_H_

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/channel/post_budget.h"
#include "relay/channel/record.h"

namespace wormhole::relay {

// Were a budget gone with the live channel, both sides could leave and come back to a full one. A
// budget is here no longer than it takes to be full again, so that there are few. Thread-safe; its
// mutex is a leaf.
class PostBudgets {
 public:
  // `full`: what a channel has that is not in here.
  explicit PostBudgets(const PostBudget& full) : full_(full) {}

  PostBudget Take(const ChannelKey& key) WORMHOLE_EXCLUDES(mutex_);
  void Return(const ChannelKey& key, const PostBudget& budget, absl::Duration now)
      WORMHOLE_EXCLUDES(mutex_);
  // Those that are full by now.
  void Forget(absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

 private:
  const PostBudget full_;
  sync::Mutex mutex_;
  absl::flat_hash_map<ChannelKey, PostBudget> budgets_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_POST_BUDGETS_H_
