#include "relay/switchboard/testing/group_tables.h"

namespace wormhole::relay {
namespace {

IdState StateOf(const std::optional<ChannelSnapshot>& channel) {
  return channel.has_value() ? IdStateOf(channel->record) : IdState::kFree;
}

}  // namespace

std::optional<ChannelSnapshot> GroupTables::Load(int relay, const ChannelKey& key) const {
  std::optional<ChannelSnapshot> snapshot = channels_.Load(key);
  if (!snapshot.has_value()) return snapshot;
  for (Role role : kRoles) {
    const auto found = attached_.find({key, role});
    snapshot->remote[role] = found != attached_.end() && found->second != relay;
    snapshot->superseded[role] = snapshot->remote[role] || IsSuperseded(relay, {key, role});
  }
  return snapshot;
}

bool GroupTables::IsSuperseded(int relay, const Side& side) const {
  const auto last = arrivals_.find(side);
  return last != arrivals_.end() && last->second.first != relay &&
         LastAttachOf(relay, side) < last->second.second;
}

void GroupTables::DropAttached(const ChannelKey& key) {
  for (Role role : kRoles) {
    attached_.erase({key, role});
    arrivals_.erase({key, role});
  }
}

PutOutcome GroupTables::Put(int relay, const ChannelKey& key, uint64_t expected,
                            const ChannelRecord& record, const PutOptions& options) {
  const PutOutcome outcome = channels_.Put(key, expected, record);
  if (outcome != PutOutcome::kDone) return outcome;
  // Before the record, whose news has all of it.
  for (Role role : kRoles) {
    const uint64_t accepted = record.ended() ? 0 : options.accepted[role];
    if (accepted != 0) (void)Accept(relay, key, role, accepted);
  }
  NoteRecord(relay, key);
  if (record.ended()) DropAttached(key);
  for (Role role : kRoles) {
    if (!options.attached.contains(role)) continue;
    // The side's first stream: there is none that it could supersede.
    Say(relay, {key, record.member(Role::kInitiator).side}, role, true);
  }
  return outcome;
}

PutOutcome GroupTables::Erase(int relay, const ChannelKey& key, uint64_t expected) {
  const PutOutcome outcome = channels_.Erase(key, expected);
  if (outcome != PutOutcome::kDone) return outcome;
  NoteRecord(relay, key);
  DropAttached(key);
  return outcome;
}

AppendResult GroupTables::Append(int relay, const ChannelRef& channel, uint64_t version,
                                 Role author, uint64_t number, const std::string& frame) {
  const std::optional<LogState> before = LogOf(channel.key, author);
  const AppendResult result = channels_.Append(channel, version, author, number, frame);
  if (result.outcome == AppendOutcome::kDone && before != result.log) {
    NoteLog(relay, channel, author, result.log, {.number = number, .frame = frame});
  }
  return result;
}

absl::StatusOr<LogState> GroupTables::Accept(int relay, const ChannelRef& channel, Role author,
                                             uint64_t cursor) {
  const std::optional<LogState> before = LogOf(channel.key, author);
  absl::StatusOr<LogState> after = channels_.Accept(channel, author, cursor);
  if (after.ok() && before != *after) NoteLog(relay, channel, author, *after, {});
  return after;
}

void GroupTables::SetAttached(int relay, const ChannelRef& channel, Role role, bool attached) {
  if (!Say(relay, channel, role, attached) || !attached) return;
  arrivals_[{channel.key, role}] = {relay, history_.size()};
}

bool GroupTables::Renew(int relay, const ChannelRef& channel, Role role) {
  const Side side{channel.key, role};
  if (IsAttached(channel.key, role) || IsSuperseded(relay, side)) return false;
  return Say(relay, channel, role, true);
}

bool GroupTables::Say(int relay, const ChannelRef& channel, Role role, bool attached) {
  const Side side{channel.key, role};
  const std::optional<ChannelSnapshot> now = channels_.Load(channel.key);
  // Of a channel that is over nobody is told, whoever has its id now.
  if (!now.has_value() || now->record.ended() || !channel.Names(now->record)) return false;
  if (attached) {
    attached_[side] = relay;
  } else {
    const auto found = attached_.find(side);
    if (found == attached_.end() || found->second != relay) return false;
    attached_.erase(found);
  }
  const ChannelRef named(channel.key, now->record.member(Role::kInitiator).side);
  const auto tell = [named, role, attached](StoreListener& listener) {
    listener.OnPresence(named, role, attached);
  };
  history_.push_back(
      {.kind = News::Kind::kPresence, .by = relay, .key = channel.key, .role = role, .tell = tell});
  if (attached) last_attaches_[{relay, side}] = history_.size();
  return true;
}

void GroupTables::TellThirdParties(int relay, const ChannelRef& channel, uint32_t count) {
  const auto tell = [channel, count](StoreListener& listener) {
    listener.OnThirdParties(channel, count);
  };
  history_.push_back(
      {.kind = News::Kind::kThirdParties, .by = relay, .key = channel.key, .tell = tell});
}

void GroupTables::ForgetAttached(int relay) {
  std::vector<Side> sides;
  for (const auto& [side, at] : attached_) {
    if (at == relay) sides.push_back(side);
  }
  for (const Side& side : sides) SetAttached(relay, side.first, side.second, false);
}

size_t GroupTables::LastAttachOf(int relay, const Side& side) const {
  const auto found = last_attaches_.find({relay, side});
  return found == last_attaches_.end() ? 0 : found->second;
}

std::optional<LogState> GroupTables::LogOf(const ChannelKey& key, Role author) const {
  const std::optional<ChannelSnapshot> channel = channels_.Load(key);
  if (!channel.has_value()) return std::nullopt;
  return channel->log(author);
}

void GroupTables::TellId(const ChannelKey& key, StoreListener& listener) const {
  const std::optional<ChannelSnapshot> now = channels_.Load(key);
  listener.OnId(key, StateOf(now));
}

void GroupTables::NoteLog(int by, const ChannelRef& channel, Role author, const LogState& log,
                          const StoredFrame& frame) {
  const auto tell = [channel, author, log, frame](StoreListener& listener) {
    listener.OnLog(channel, author, log, log.forgotten < frame.number ? &frame : nullptr);
  };
  history_.push_back({.kind = News::Kind::kLog, .by = by, .key = channel.key, .tell = tell});
}

void GroupTables::NoteRecord(int by, const ChannelKey& key) {
  const std::optional<ChannelSnapshot> now = channels_.Load(key);
  const auto tell = [key, now](StoreListener& listener) {
    listener.OnId(key, StateOf(now));
    listener.OnChanged(key, now.has_value() ? &*now : nullptr);
  };
  history_.push_back({.kind = News::Kind::kRecord, .by = by, .key = key, .tell = tell});
}

}  // namespace wormhole::relay
