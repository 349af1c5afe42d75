#include "relay/store/sqlite/sqlite_backlog.h"

namespace wormhole::relay {

void SqliteBacklog::Add(int64_t number, size_t bytes, const store::StoredBatch& batch) {
  for (const store::StoredChange& change : batch.channels()) {
    channels_.Add({change.app_id(), change.id()}, number);
  }
  const auto add = [&](const RestingSide& side, bool rests) {
    sides_.Add(NameOf(side), number);
    rests_[NameOf(side)] = rests ? std::optional(side) : std::nullopt;
  };
  for (const store::StoredRest& rest : batch.ended_rests()) add(RestingSideOf(rest), false);
  for (const store::StoredRest& rest : batch.rests()) add(RestingSideOf(rest), true);
  batches_.emplace_back(number, bytes);
  bytes_ += bytes;
}

SqliteBacklog::Step SqliteBacklog::Next(
    int64_t last, const Most& most, const std::function<size_t(const ChannelKey& key)>& bytes_of,
    int64_t next) const {
  Step step{.channels = {}, .rests = {}, .needed = next};
  size_t bytes = 0;
  for (const auto& [since, key] : channels_.oldest) {
    if (since <= last) bytes += bytes_of(key);
    const bool full = step.channels.size() == most.rows || bytes > most.bytes;
    if (since > last || (full && !step.channels.empty())) {
      step.needed = since;
      break;
    }
    step.channels.push_back(key);
  }
  for (const auto& [since, name] : sides_.oldest) {
    if (since > last || step.rests.size() == most.rows) {
      step.needed = std::min(step.needed, since);
      break;
    }
    step.rests.emplace_back(name, rests_.at(name));
  }
  return step;
}

void SqliteBacklog::NoteDone(const Step& step) {
  for (const ChannelKey& key : step.channels) channels_.Remove(key);
  for (const auto& [name, side] : step.rests) {
    sides_.Remove(name);
    rests_.erase(name);
  }
  while (!batches_.empty() && batches_.front().first < step.needed) {
    bytes_ -= batches_.front().second;
    batches_.pop_front();
  }
}

}  // namespace wormhole::relay
