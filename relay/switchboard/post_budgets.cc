#include "relay/switchboard/post_budgets.h"

namespace wormhole::relay {

PostBudget PostBudgets::Take(const ChannelKey& key) {
  sync::MutexLock lock(mutex_);
  const auto found = budgets_.find(key);
  if (found == budgets_.end()) return full_;
  const PostBudget budget = found->second;
  budgets_.erase(found);
  return budget;
}

void PostBudgets::Return(const ChannelKey& key, const PostBudget& budget, absl::Duration now) {
  if (budget.IsFull(now)) return;
  sync::MutexLock lock(mutex_);
  budgets_.insert_or_assign(key, budget);
}

void PostBudgets::Forget(absl::Duration now) {
  sync::MutexLock lock(mutex_);
  absl::erase_if(budgets_, [now](const auto& entry) { return entry.second.IsFull(now); });
}

}  // namespace wormhole::relay
