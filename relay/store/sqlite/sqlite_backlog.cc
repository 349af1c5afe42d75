#include "relay/store/sqlite/sqlite_backlog.h"

#include "absl/time/time.h"

namespace wormhole::relay {

void SqliteBacklog::Add(int64_t number, size_t bytes, const store::StoredBatch& batch) {
  for (const store::StoredChange& change : batch.channels()) {
    const auto [entry, is_new] =
        since_.try_emplace(ChannelKey{change.app_id(), change.id()}, number);
    if (is_new) oldest_.emplace(number, entry->first);
  }
  for (const store::StoredRest& rest : batch.ended_rests()) {
    rests_[{rest.app_id(), rest.side()}] = std::nullopt;
  }
  for (const store::StoredRest& rest : batch.rests()) {
    rests_[{rest.app_id(), rest.side()}] = RestingSide{.app_id = rest.app_id(),
                                                       .side = rest.side(),
                                                       .id = rest.id(),
                                                       .until = absl::FromUnixMicros(rest.until())};
  }
  batches_.emplace_back(number, bytes);
  bytes_ += bytes;
}

SqliteBacklog::Step SqliteBacklog::Next(int64_t last, size_t most, int64_t next) const {
  Step step{.channels = {}, .rests = rests_, .needed = next};
  for (const auto& [since, key] : oldest_) {
    if (since > last || step.channels.size() == most) {
      step.needed = since;
      break;
    }
    step.channels.push_back(key);
  }
  return step;
}

void SqliteBacklog::NoteDone(const Step& step) {
  for (const ChannelKey& key : step.channels) {
    const auto found = since_.find(key);
    oldest_.erase({found->second, key});
    since_.erase(found);
  }
  rests_.clear();
  while (!batches_.empty() && batches_.front().first < step.needed) {
    bytes_ -= batches_.front().second;
    batches_.pop_front();
  }
}

}  // namespace wormhole::relay
