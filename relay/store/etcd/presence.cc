#include "relay/store/etcd/presence.h"

#include <string_view>
#include <utility>

namespace wormhole::relay {
EtcdPresence::Write& EtcdPresence::Renew(const Name& name, bool attached) {
  Write& write = writes_[name];
  write.attached = attached;
  write.renewal = write.said = false;
  write.known.reset();
  write.said_at = 0;
  write.attempts = 0;
  write.number = ++numbers_;
  return write;
}

void EtcdPresence::MakePending(const Name& name, const Write& write) {
  if (write.records == 0 && !write.said) pending_.insert(name);
}

void EtcdPresence::Attach(const ChannelRef& channel, Role role, std::optional<int64_t> known) {
  Forget({channel.key, "", role});
  const Name name{channel.key, channel.initiator, role};
  Write& write = Renew(name, true);
  write.known = known;
  MakePending(name, write);
}

void EtcdPresence::Detach(const ChannelRef& channel, Role role) {
  const Name name{channel.key, channel.initiator, role};
  MakePending(name, Renew(name, false));
}

void EtcdPresence::Leave(const ChannelRef& channel, Role role) {
  const auto found = writes_.find({channel.key, channel.initiator, role});
  if (found == writes_.end()) return;
  if (found->second.records != 0) return Detach(channel, role);
  Forget(found->first);
}

void EtcdPresence::Forget(const Name& name) {
  pending_.erase(name);
  writes_.erase(name);
}

void EtcdPresence::Drop(const ChannelKey& key) {
  auto at = writes_.lower_bound({key, "", Role::kInitiator});
  while (at != writes_.end() && std::get<ChannelKey>(at->first) == key) {
    const auto [name, write] = *at++;
    if (write.records == 0) Forget(name);
  }
}

EtcdPresence::Numbers EtcdPresence::BringAlong(const ChannelRef& channel, RoleSet roles) {
  Numbers numbers = {};
  for (const Role role : kRoles) {
    if (!roles.contains(role)) continue;
    Forget({channel.key, "", role});
    const Name name{channel.key, channel.initiator, role};
    Write& write = Renew(name, true);
    ++write.records;
    pending_.erase(name);
    numbers[role] = write.number;
  }
  return numbers;
}

void EtcdPresence::RecordWritten(const ChannelRef& channel, Role role, const WithRecord& with) {
  const auto found = writes_.find({channel.key, channel.initiator, role});
  if (found == writes_.end() || !found->second.attached) return;
  Write& write = found->second;
  if (write.known.has_value() || write.renewal) return;  // a later write counts
  write.known = with.revision;
  write.said = with.lasts;
  write.said_at = with.lasts ? with.revision : 0;
  write.renewal = with.said && !with.lasts;
}

void EtcdPresence::RecordAnswered(const ChannelRef& channel, RoleSet roles, const Numbers& numbers,
                                  bool put) {
  for (const Role role : kRoles) {
    const Name name{channel.key, channel.initiator, role};
    const auto found = writes_.find(name);
    if (!roles.contains(role) || found == writes_.end()) continue;
    --found->second.records;
    if (!put && found->second.number == numbers[role]) Renew(name, false);
    MakePending(name, found->second);
  }
}

// If any channel with the id has the side attached here, that is written, or will be.
void EtcdPresence::Found(const ChannelRef& channel, Role role) {
  for (auto at = writes_.lower_bound({channel.key, "", Role::kInitiator});
       at != writes_.end() && std::get<ChannelKey>(at->first) == channel.key; ++at) {
    if (std::get<Role>(at->first) == role) return;
  }
  Detach(channel, role);
}

void EtcdPresence::WriteAgain() {
  for (auto& [name, write] : writes_) {
    if (!write.attached) continue;
    write.renewal = write.renewal || write.said;
    write.said = false;
    // An answer that is still to come counts no more; a record's shows its lease.
    if (write.records == 0) write.number = ++numbers_;
    MakePending(name, write);
  }
}

void EtcdPresence::Rewind() {
  for (auto& [name, write] : writes_) {
    write.renewal = write.attached;
    write.known.reset();
  }
}

bool EtcdPresence::IsPending(const ChannelKey& key) const {
  const auto at = pending_.lower_bound({key, "", Role::kInitiator});
  return at != pending_.end() && std::get<ChannelKey>(*at) == key;
}

bool EtcdPresence::PassedOver(const ChannelKey& key) const {
  return passed_over_.contains(key) && IsPending(key);
}

std::vector<ChannelKey> EtcdPresence::NextPending(
    size_t limit, const std::function<bool(const ChannelKey&)>& busy) {
  std::vector<ChannelKey> next_ones;
  std::set<ChannelKey> seen;
  const auto take = [&](const ChannelKey& key) {
    if (!seen.insert(key).second) return;
    if (busy(key) || next_ones.size() == limit) {
      passed_over_.insert(key);
    } else {
      next_ones.push_back(key);
    }
  };
  for (const ChannelKey& key : std::exchange(passed_over_, {})) {
    if (IsPending(key)) take(key);
  }
  const auto behind = [this](const ChannelKey& key) {
    return pending_.lower_bound({{key.app_id, key.id + 1}, "", Role::kInitiator});
  };
  // One round: each write is seen once at most.
  auto next = last_ ? behind(*last_) : pending_.begin();
  for (size_t left = pending_.size(); left > 0 && next_ones.size() < limit; --left) {
    if (next == pending_.end()) next = pending_.begin();
    last_ = std::get<ChannelKey>(*next);
    take(*last_);
    next = behind(*last_);
  }
  return next_ones;
}

EtcdCalls EtcdPresence::Take(const ChannelKey& key) {
  EtcdCalls calls;
  auto at = pending_.lower_bound({key, "", Role::kInitiator});
  while (at != pending_.end() && std::get<ChannelKey>(*at) == key) {
    const Write& write = writes_.at(*at);
    calls.push_back({.what = PresenceCall{.initiator = std::get<std::string>(*at),
                                          .role = std::get<Role>(*at),
                                          .attached = write.attached,
                                          .renewal = write.renewal,
                                          .known = write.known,
                                          .number = write.number},
                     .attempts = write.attempts});
    at = pending_.erase(at);
  }
  return calls;
}

void EtcdPresence::Finish(const ChannelKey& key, const EtcdCalls& calls, const EtcdCalls& left,
                          const ChannelState& state, std::string_view relay_id) {
  const size_t through = calls.size() - left.size();
  for (size_t i = 0; i < calls.size(); ++i) {
    const auto& call = std::get<PresenceCall>(calls[i].what);
    const Name name{key, call.initiator, call.role};
    const auto found = writes_.find(name);
    if (found == writes_.end()) continue;
    Write& write = found->second;
    if (write.number != call.number) continue;  // there is a newer one, which is pending
    if (i >= through) {
      write.attempts = left[i - through].attempts;
      MakePending(name, write);
    } else if (!write.attached || !state.IsOf(call.initiator) || state.record.value->ended()) {
      Forget(name);
    } else {
      const Cell<std::string>& at = state.attached_at[call.role];
      write.said = true;
      write.said_at = at.value == relay_id ? at.revision : 0;
    }
  }
}

bool EtcdPresence::IsNewer(const ChannelRef& channel, Role role, int64_t revision) const {
  const auto found = writes_.find({channel.key, channel.initiator, role});
  if (found == writes_.end() || !found->second.attached) return false;
  const Write& write = found->second;
  if (write.said) return revision <= write.said_at;
  return !write.renewal && (!write.known.has_value() || revision <= *write.known);
}

}  // namespace wormhole::relay
