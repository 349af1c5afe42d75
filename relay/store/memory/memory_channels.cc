#include "relay/store/memory/memory_channels.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "relay/channel/log_rules.h"
#include "relay/channel/side_rules.h"

namespace wormhole::relay {

void MemoryChannels::ForEach(
    const std::function<void(const ChannelKey&, IdState state)>& visit) const {
  for (const auto& [app_id, app] : apps_) {
    for (const auto& [id, channel] : app.channels) visit({app_id, id}, IdStateOf(channel.record));
  }
}

std::optional<ChannelSnapshot> MemoryChannels::Load(const ChannelKey& key) const {
  const Channel* channel = Find(key);
  if (channel == nullptr) return std::nullopt;
  return ChannelSnapshot{
      .record = channel->record,
      .logs = {{channel->logs[Role::kInitiator].state, channel->logs[Role::kReceiver].state}}};
}

std::optional<uint32_t> MemoryChannels::FindSide(const std::string& app_id,
                                                 const std::string& side) const {
  const App* app = FindApp(app_id);
  if (app == nullptr) return std::nullopt;
  const auto found = app->sides.find(side);
  if (found == app->sides.end()) return std::nullopt;
  return found->second;
}

PutOutcome MemoryChannels::Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                               const PutOptions& options) {
  Channel* stored = Find(key);
  if ((stored == nullptr ? 0 : stored->record.version) != expected) return PutOutcome::kStale;
  if (stored != nullptr && !stored->record.ended() && !Continues(stored->record, record)) {
    return PutOutcome::kStale;
  }
  const bool follows = stored != nullptr && TakesThePlaceOf(stored->record, record);
  for (const Member& member : record.members) {
    if (!FindSide(key.app_id, member.side).has_value()) continue;
    if (follows || stored == nullptr || !HasMember(stored->record, member.side)) {
      return PutOutcome::kSideTaken;
    }
  }
  const bool anew = stored == nullptr || stored->record.ended() || record.ended();
  BeforeChange(key, stored, anew);
  App& app = MakeApp(key.app_id);
  Channel& channel = app.channels[key.id];
  if (stored != nullptr) {
    due_.erase({channel.record.due_at, &app, key.id});
    if (follows) {
      RestSides(key, channel.record);
    } else {
      for (const Member& member : channel.record.members) app.sides.erase(member.side);
    }
  }
  if (anew) DropLogs(channel);
  channel.record = std::move(record);
  channel.record.version = expected + 1;
  due_.insert({channel.record.due_at, &app, key.id});
  for (const Member& member : channel.record.members) {
    if (!member.side.empty()) app.sides[member.side] = key.id;
  }
  for (const Role author : kRoles) {
    if (options.accepted[author] == 0 || channel.record.ended()) continue;
    Accept(key, author, options.accepted[author]).IgnoreError();  // the channel is there
  }
  return PutOutcome::kDone;
}

void MemoryChannels::BeforeChange(const ChannelKey& key, const Channel* channel, bool anew) {
  if (observer_ != nullptr) observer_->OnChange(key, channel, anew);
}

void MemoryChannels::RestSides(const ChannelKey& key, const ChannelRecord& ended) {
  App& app = apps_.at(key.app_id);
  for (const Member& member : ended.members) {
    if (member.side.empty()) continue;
    resting_.insert({ended.due_at, &app, member.side});
    if (observer_ == nullptr) continue;
    observer_->OnRest(
        {.app_id = key.app_id, .side = member.side, .id = key.id, .until = ended.due_at});
  }
}

PutOutcome MemoryChannels::Erase(const ChannelKey& key, uint64_t expected) {
  const Channel* channel = Find(key);
  if (channel == nullptr || channel->record.version != expected) return PutOutcome::kStale;
  BeforeChange(key, channel, /*anew=*/true);
  Remove(key);
  return PutOutcome::kDone;
}

void MemoryChannels::Remove(const ChannelKey& key) {
  Channel* channel = Find(key);
  if (channel == nullptr) return;
  DropLogs(*channel);
  App& app = apps_.at(key.app_id);
  due_.erase({channel->record.due_at, &app, key.id});
  for (const Member& member : channel->record.members) app.sides.erase(member.side);
  app.channels.erase(key.id);
  DropIfEmpty(app);
}

bool MemoryChannels::Insert(const ChannelKey& key, KeptChannel channel) {
  if (Find(key) != nullptr) return false;
  for (const Member& member : channel.record.members) {
    if (!member.side.empty() && FindSide(key.app_id, member.side).has_value()) return false;
  }
  App& app = MakeApp(key.app_id);
  due_.insert({channel.record.due_at, &app, key.id});
  for (const Member& member : channel.record.members) {
    if (!member.side.empty()) app.sides[member.side] = key.id;
  }
  for (const KeptLog& log : channel.logs) {
    stored_bytes_.fetch_add(log.state.bytes, std::memory_order_relaxed);
  }
  app.channels[key.id] = std::move(channel);
  return true;
}

bool MemoryChannels::Rest(const RestingSide& side) {
  if (FindSide(side.app_id, side.side).has_value()) return false;
  App& app = MakeApp(side.app_id);
  app.sides[side.side] = side.id;
  resting_.insert({side.until, &app, side.side});
  return true;
}

void MemoryChannels::EndRest(const RestingSide& side) {
  const auto found = apps_.find(side.app_id);
  if (found == apps_.end() || resting_.erase({side.until, &found->second, side.side}) == 0) return;
  found->second.sides.erase(side.side);
  DropIfEmpty(found->second);
}

void MemoryChannels::DropLogs(Channel& channel) {
  for (const KeptLog& log : channel.logs) {
    stored_bytes_.fetch_sub(log.state.bytes, std::memory_order_relaxed);
  }
  channel.logs = {};
}

void MemoryChannels::DropIfEmpty(App& app) {
  if (app.channels.empty() && app.sides.empty()) apps_.erase(std::string(*app.app_id));
}

AppendResult MemoryChannels::Append(const ChannelRef& channel, uint64_t version, Role author,
                                    uint64_t number, std::string frame) {
  Channel* stored = Find(channel);
  if (stored == nullptr || stored->record.version != version) {
    return {.outcome = AppendOutcome::kStale};
  }
  KeptLog& log = stored->logs[author];
  AppendOutcome outcome = AppendOutcome::kDone;
  switch (JudgeAppend(log.state, number)) {
    case AppendStep::kKeep:
      BeforeChange(channel.key, stored, /*anew=*/false);
      log.state = CountKept(log.state, frame.size());
      stored_bytes_.fetch_add(frame.size(), std::memory_order_relaxed);
      log.frames.push_back(std::make_shared<const std::string>(std::move(frame)));
      break;
    case AppendStep::kCount:
      BeforeChange(channel.key, stored, /*anew=*/false);
      log.state = CountForgotten(log.state);
      break;
    case AppendStep::kCompare:
      if (*log.frames[number - log.state.forgotten - 1] != frame) {
        outcome = AppendOutcome::kConflict;
      }
      break;
    case AppendStep::kDone:
      break;
    case AppendStep::kGap:
      outcome = AppendOutcome::kGap;
      break;
  }
  return {.outcome = outcome, .log = log.state};
}

absl::StatusOr<LogState> MemoryChannels::Accept(const ChannelRef& channel, Role author,
                                                uint64_t cursor) {
  Channel* stored = Find(channel);
  if (stored == nullptr) return absl::NotFoundError("the channel is gone");
  KeptLog& log = stored->logs[author];
  if (stored->record.ended()) return log.state;  // nobody is to post or read any more
  LogState after = RaiseAccepted(log.state, cursor);
  if (after == log.state) return after;
  BeforeChange(channel.key, stored, /*anew=*/false);
  const auto begin = log.frames.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(after.forgotten - log.state.forgotten);
  for (auto frame = begin; frame != end; ++frame) after.bytes -= (*frame)->size();
  log.frames.erase(begin, end);
  stored_bytes_.fetch_sub(log.state.bytes - after.bytes, std::memory_order_relaxed);
  log.state = after;
  return after;
}

std::vector<StoredFrame> MemoryChannels::Read(const ChannelRef& channel, Role author,
                                              uint64_t after, size_t max_bytes) const {
  std::vector<StoredFrame> frames;
  const Channel* stored = Find(channel);
  if (stored == nullptr) return frames;
  const KeptLog& log = stored->logs[author];
  size_t bytes = 0;
  for (uint64_t number = std::max(after, log.state.forgotten); number < log.state.stored;) {
    const std::string& frame = *log.frames[number - log.state.forgotten];
    bytes += frame.size();
    if (!frames.empty() && bytes > max_bytes) break;
    frames.push_back({.number = ++number, .frame = frame});
  }
  return frames;
}

void MemoryChannels::ForgetRested(absl::Time now) {
  std::vector<RestingSide> over;
  for (const Resting& rest : resting_) {
    if (rest.until > now || over.size() == kForgetAtOnce) break;
    over.push_back({.app_id = *rest.app->app_id,
                    .side = rest.side,
                    .id = rest.app->sides.at(rest.side),
                    .until = rest.until});
  }
  if (over.empty()) return;
  if (observer_ != nullptr) observer_->OnForget(over);
  for (const RestingSide& side : over) EndRest(side);
}

std::vector<ChannelKey> MemoryChannels::Due(absl::Time now, size_t limit) {
  ForgetRested(now);
  return FindDue(now, limit);
}

std::vector<ChannelKey> MemoryChannels::FindDue(absl::Time now, size_t limit) const {
  std::vector<ChannelKey> keys;
  for (const auto& [due_at, app, id] : due_) {
    if (due_at > now || keys.size() >= limit) break;
    keys.push_back({*app->app_id, id});
  }
  return keys;
}

const MemoryChannels::App* MemoryChannels::FindApp(const std::string& app_id) const {
  const auto found = apps_.find(app_id);
  return found == apps_.end() ? nullptr : &found->second;
}

const MemoryChannels::Channel* MemoryChannels::Find(const ChannelKey& key) const {
  const App* app = FindApp(key.app_id);
  if (app == nullptr) return nullptr;
  const auto found = app->channels.find(key.id);
  return found == app->channels.end() ? nullptr : &found->second;
}

const MemoryChannels::Channel* MemoryChannels::Find(const ChannelRef& channel) const {
  const Channel* stored = Find(channel.key);
  return stored != nullptr && channel.Names(stored->record) ? stored : nullptr;
}

MemoryChannels::Channel* MemoryChannels::Find(const ChannelRef& channel) {
  return const_cast<Channel*>(std::as_const(*this).Find(channel));
}

MemoryChannels::Channel* MemoryChannels::Find(const ChannelKey& key) {
  return const_cast<Channel*>(std::as_const(*this).Find(key));
}

MemoryChannels::App& MemoryChannels::MakeApp(const std::string& app_id) {
  const auto [entry, is_new] = apps_.try_emplace(app_id);
  if (is_new) entry->second.app_id = &entry->first;
  return entry->second;
}

}  // namespace wormhole::relay
