#include "relay/store/etcd/presence.h"

#include <string_view>
#include <utility>

namespace wormhole::relay {
EtcdPresence::Word& EtcdPresence::Renew(const Name& name, bool attached) {
  Word& word = words_[name];
  word.attached = attached;
  word.renewal = word.said = false;
  word.known.reset();
  word.said_at = 0;
  word.attempts = 0;
  word.number = ++numbers_;
  return word;
}

void EtcdPresence::Open(const Name& name, const Word& word) {
  if (word.records == 0 && !word.said) open_.insert(name);
}

void EtcdPresence::Attach(const ChannelRef& channel, Role role, std::optional<int64_t> known) {
  Forget({channel.key, "", role});
  const Name name{channel.key, channel.initiator, role};
  Word& word = Renew(name, true);
  word.known = known;
  Open(name, word);
}

void EtcdPresence::Detach(const ChannelRef& channel, Role role) {
  const Name name{channel.key, channel.initiator, role};
  Open(name, Renew(name, false));
}

void EtcdPresence::Leave(const ChannelRef& channel, Role role) {
  const auto found = words_.find({channel.key, channel.initiator, role});
  if (found == words_.end()) return;
  if (found->second.records != 0) return Detach(channel, role);
  Forget(found->first);
}

void EtcdPresence::Forget(const Name& name) {
  open_.erase(name);
  words_.erase(name);
}

void EtcdPresence::Drop(const ChannelKey& key) {
  auto at = words_.lower_bound({key, "", Role::kInitiator});
  while (at != words_.end() && std::get<ChannelKey>(at->first) == key) {
    const auto [name, word] = *at++;
    if (word.records == 0) Forget(name);
  }
}

EtcdPresence::Numbers EtcdPresence::Bring(const ChannelRef& channel, RoleSet roles) {
  Numbers numbers = {};
  for (const Role role : kRoles) {
    if (!roles.contains(role)) continue;
    Forget({channel.key, "", role});
    const Name name{channel.key, channel.initiator, role};
    Word& word = Renew(name, true);
    ++word.records;
    open_.erase(name);
    numbers[role] = word.number;
  }
  return numbers;
}

void EtcdPresence::Brought(const ChannelRef& channel, Role role, const Saying& saying) {
  const auto found = words_.find({channel.key, channel.initiator, role});
  if (found == words_.end() || !found->second.attached) return;
  Word& word = found->second;
  if (word.known.has_value() || word.renewal) return;  // one that was said since counts
  word.known = saying.revision;
  word.said = saying.lasts;
  word.said_at = saying.lasts ? saying.revision : 0;
  word.renewal = saying.said && !saying.lasts;
}

void EtcdPresence::Landed(const ChannelRef& channel, RoleSet roles, const Numbers& numbers,
                          bool put) {
  for (const Role role : kRoles) {
    const Name name{channel.key, channel.initiator, role};
    const auto found = words_.find(name);
    if (!roles.contains(role) || found == words_.end()) continue;
    --found->second.records;
    if (!put && found->second.number == numbers[role]) Renew(name, false);
    Open(name, found->second);
  }
}

// Whoever is attached here to any channel with the id has said so, or will.
void EtcdPresence::Found(const ChannelRef& channel, Role role) {
  for (auto at = words_.lower_bound({channel.key, "", Role::kInitiator});
       at != words_.end() && std::get<ChannelKey>(at->first) == channel.key; ++at) {
    if (std::get<Role>(at->first) == role) return;
  }
  Detach(channel, role);
}

void EtcdPresence::SayAgain() {
  for (auto& [name, word] : words_) {
    if (!word.attached) continue;
    word.renewal = word.renewal || word.said;
    word.said = false;
    // An answer that is still to come says nothing; a record's is told by its lease.
    if (word.records == 0) word.number = ++numbers_;
    Open(name, word);
  }
}

void EtcdPresence::Rewind() {
  for (auto& [name, word] : words_) {
    word.renewal = word.attached;
    word.known.reset();
  }
}

bool EtcdPresence::IsOpen(const ChannelKey& key) const {
  const auto at = open_.lower_bound({key, "", Role::kInitiator});
  return at != open_.end() && std::get<ChannelKey>(*at) == key;
}

bool EtcdPresence::PassedOver(const ChannelKey& key) const {
  return passed_over_.contains(key) && IsOpen(key);
}

std::vector<ChannelKey> EtcdPresence::Turn(size_t limit,
                                           const std::function<bool(const ChannelKey&)>& busy) {
  std::vector<ChannelKey> turn;
  std::set<ChannelKey> seen;
  const auto take = [&](const ChannelKey& key) {
    if (!seen.insert(key).second) return;
    if (busy(key) || turn.size() == limit) {
      passed_over_.insert(key);
    } else {
      turn.push_back(key);
    }
  };
  for (const ChannelKey& key : std::exchange(passed_over_, {})) {
    if (IsOpen(key)) take(key);
  }
  const auto behind = [this](const ChannelKey& key) {
    return open_.lower_bound({{key.app_id, key.id + 1}, "", Role::kInitiator});
  };
  // Each word is looked at once at most.
  auto next = last_ ? behind(*last_) : open_.begin();
  for (size_t left = open_.size(); left > 0 && turn.size() < limit; --left) {
    if (next == open_.end()) next = open_.begin();
    last_ = std::get<ChannelKey>(*next);
    take(*last_);
    next = behind(*last_);
  }
  return turn;
}

EtcdCalls EtcdPresence::Take(const ChannelKey& key) {
  EtcdCalls calls;
  auto at = open_.lower_bound({key, "", Role::kInitiator});
  while (at != open_.end() && std::get<ChannelKey>(*at) == key) {
    const Word& word = words_.at(*at);
    calls.push_back({.what = PresenceCall{.initiator = std::get<std::string>(*at),
                                          .role = std::get<Role>(*at),
                                          .attached = word.attached,
                                          .renewal = word.renewal,
                                          .known = word.known,
                                          .number = word.number},
                     .attempts = word.attempts});
    at = open_.erase(at);
  }
  return calls;
}

void EtcdPresence::Finish(const ChannelKey& key, const EtcdCalls& calls, const EtcdCalls& left,
                          const ChannelState& state, std::string_view relay_id) {
  const size_t through = calls.size() - left.size();
  for (size_t i = 0; i < calls.size(); ++i) {
    const auto& call = std::get<PresenceCall>(calls[i].what);
    const Name name{key, call.initiator, call.role};
    const auto found = words_.find(name);
    if (found == words_.end()) continue;
    Word& word = found->second;
    if (word.number != call.number) continue;  // there is a newer one, which is open
    if (i >= through) {
      word.attempts = left[i - through].attempts;
      Open(name, word);
    } else if (!word.attached || !state.IsOf(call.initiator) || state.record.value->ended()) {
      Forget(name);
    } else {
      const Cell<std::string>& at = state.writers[call.role];
      word.said = true;
      word.said_at = at.value == relay_id ? at.revision : 0;
    }
  }
}

bool EtcdPresence::IsNewer(const ChannelRef& channel, Role role, int64_t revision) const {
  const auto found = words_.find({channel.key, channel.initiator, role});
  if (found == words_.end() || !found->second.attached) return false;
  const Word& word = found->second;
  if (word.said) return revision <= word.said_at;
  return !word.renewal && (!word.known.has_value() || revision <= *word.known);
}

}  // namespace wormhole::relay
