#include "relay/store/etcd/channel_state.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "etcd_values.pb.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::KeyValue;
using etcdserverpb::RangeResponse;
using Kind = EtcdKeys::Place::Kind;

template <typename Value>
std::optional<Value> Parse(const std::string& bytes) {
  Value value;
  if (!value.ParseFromString(bytes)) return std::nullopt;
  return value;
}

std::optional<EtcdLog> ReadLog(const std::string& bytes) {
  const auto value = Parse<store::LogValue>(bytes);
  if (!value) return std::nullopt;
  EtcdLog log{.stored = value->stored()};
  for (const store::KeptFrameValue& frame : value->last()) {
    log.last.push_back({.size = frame.size(), .frame = frame.frame()});
  }
  return log;
}

std::optional<uint64_t> ReadCursor(const std::string& bytes) {
  const auto value = Parse<store::CursorValue>(bytes);
  if (!value) return std::nullopt;
  return value->accepted();
}

std::optional<std::string> ReadPresence(const std::string& bytes) {
  const auto value = Parse<store::PresenceValue>(bytes);
  if (!value) return std::nullopt;
  return value->relay_id();
}

store::MemberValue MemberOf(const Member& member) {
  store::MemberValue value;
  value.set_side(member.side);
  value.set_left(member.left);
  return value;
}

// A value that cannot be read is taken for missing: it is not this format's. One that is known
// already is not read: this relay hears of all that it writes.
template <typename T>
bool TakeCell(Cell<T>& cell, const KeyValue& kv, bool exists,
              std::optional<T> (*read)(const std::string&)) {
  if (kv.mod_revision() <= cell.revision) return false;
  return cell.Take(kv.mod_revision(), exists ? read(kv.value()) : std::nullopt);
}

}  // namespace

const EtcdFrame* EtcdLog::Find(uint64_t number) const {
  if (number > stored || stored - number >= last.size()) return nullptr;
  return &last[last.size() - 1 - (stored - number)];
}

bool EtcdLog::Add(const std::string& frame, bool keep, uint64_t forgotten) {
  size_t bytes = frame.size();
  uint64_t number = stored;
  for (auto kept = last.rbegin(); kept != last.rend() && number > forgotten; ++kept, --number) {
    bytes += kept->frame.size();
  }
  const bool here = keep && !frame.empty() && bytes <= kMaxBytesInLog;
  ++stored;
  last.push_back({.size = frame.size(), .frame = here ? frame : std::string()});
  return keep && !here;
}

void EtcdLog::DropUpTo(uint64_t forgotten) {
  const uint64_t kept = stored - forgotten;
  if (last.size() > kept) last.erase(last.begin(), last.end() - static_cast<std::ptrdiff_t>(kept));
}

LogState ChannelState::LogUpTo(Role author, uint64_t number) const {
  const auto& log = logs[author].value;
  LogState state;
  state.accepted = cursors[author].value.value_or(0);
  if (!log) return state;
  state.stored = std::min(log->stored, number);
  state.forgotten = std::min(state.stored, state.accepted);
  uint64_t at = log->stored;
  for (auto frame = log->last.rbegin(); frame != log->last.rend(); ++frame, --at) {
    if (at > state.forgotten && at <= state.stored) state.bytes += frame->size;
  }
  return state;
}

bool ChannelState::MayHaveKeys(Role author, uint64_t first, uint64_t last) const {
  const auto& log = logs[author].value;
  for (uint64_t number = first; number <= last; ++number) {
    if (!log || number > log->stored) return true;  // others may have been stored since
    const EtcdFrame* const frame = log->Find(number);
    if (frame == nullptr || frame->frame.empty()) return true;
  }
  return false;
}

std::vector<StoredFrame> ChannelState::FramesInLog(Role author, uint64_t after,
                                                   size_t max_bytes) const {
  std::vector<StoredFrame> frames;
  const auto& log = logs[author].value;
  if (!log) return frames;
  size_t bytes = 0;
  for (uint64_t number = after + 1;; ++number) {
    const EtcdFrame* const frame = log->Find(number);
    if (frame == nullptr || frame->frame.empty()) break;
    bytes += frame->size;
    if (!frames.empty() && bytes > max_bytes) break;
    frames.push_back({.number = number, .frame = frame->frame});
  }
  return frames;
}

std::optional<ChannelSnapshot> ChannelState::SnapshotFor(std::string_view relay) const {
  if (!record.value) return std::nullopt;
  ChannelSnapshot snapshot{.record = *record.value};
  for (Role role : kRoles) {
    snapshot.log(role) = LogOf(role);
    snapshot.remote[role] =
        attached_at[role].value.has_value() && *attached_at[role].value != relay;
    snapshot.superseded[role] = SaidByOthers(role, relay) != 0;
  }
  return snapshot;
}

int64_t ChannelState::SaidByOthers(Role role, std::string_view relay) const {
  int64_t newest = 0;
  for (const auto* cells : {&attached_at, &arrivals}) {
    const Cell<std::string>& cell = (*cells)[role];
    if (cell.value && *cell.value != relay) newest = std::max(newest, cell.revision);
  }
  return newest;
}

bool ChannelState::Take(const EtcdKeys::Place& place, const KeyValue& kv, bool exists) {
  switch (place.kind) {
    case Kind::kRecord:
      if (!TakeCell(record, kv, exists, &ReadRecord)) return false;
      lease = kv.lease();
      return true;
    case Kind::kLog:
      return TakeCell(log(place.role), kv, exists, &ReadLog);
    case Kind::kCursor:
      return TakeCell(cursor(place.role), kv, exists, &ReadCursor);
    case Kind::kArrival:
      return TakeCell(arrival(place.role), kv, exists, &ReadPresence);
    case Kind::kPresence:
      return TakeCell(presence(place.role), kv, exists, &ReadPresence);
    case Kind::kNotice:
    case Kind::kFrame:
      break;
  }
  return false;
}

// A key that is there has the revision of its writing; one that is not is missing as of the read.
ChannelState ChannelState::Read(const EtcdKeys& keys, const RangeResponse& record_range,
                                const RangeResponse& state_range, int64_t revision) {
  ChannelState found;
  for (const RangeResponse* range : {&record_range, &state_range}) {
    for (const KeyValue& kv : range->kvs()) {
      if (const auto place = keys.Parse(kv.key())) found.Take(*place, kv, true);
    }
  }
  const auto missing = [revision](auto& cell) {
    if (cell.revision == 0) cell.revision = revision;
  };
  missing(found.record);
  for (Role role : kRoles) {
    missing(found.log(role));
    missing(found.cursor(role));
    missing(found.arrival(role));
    missing(found.presence(role));
  }
  return found;
}

ChannelState ChannelState::MadeAt(int64_t revision) {
  ChannelState state;
  for (Role role : kRoles) {
    state.log(role).revision = revision - 1;
    state.cursor(role).revision = revision - 1;
    state.arrival(role).revision = revision - 1;
    state.presence(role).revision = revision - 1;
  }
  return state;
}

void ChannelState::Merge(const ChannelState& other) {
  if (record.Take(other.record.revision, other.record.value)) lease = other.lease;
  for (Role role : kRoles) {
    logs[role].Take(other.logs[role].revision, other.logs[role].value);
    cursors[role].Take(other.cursors[role].revision, other.cursors[role].value);
    arrivals[role].Take(other.arrivals[role].revision, other.arrivals[role].value);
    attached_at[role].Take(other.attached_at[role].revision, other.attached_at[role].value);
  }
}

std::string WriteRecord(const ChannelRecord& record, std::string_view relay_id) {
  store::RecordValue value;
  value.set_relay_id(std::string(relay_id));
  value.set_version(record.version);
  value.set_named(record.named);
  value.set_life(static_cast<uint32_t>(record.life));
  value.set_ended_by(static_cast<uint32_t>(record.ended_by));
  value.set_created_at(absl::ToUnixMicros(record.created_at));
  value.set_due_at(absl::ToUnixMicros(record.due_at));
  *value.mutable_initiator() = MemberOf(record.member(Role::kInitiator));
  *value.mutable_receiver() = MemberOf(record.member(Role::kReceiver));
  return value.SerializeAsString();
}

std::string WriteLog(const EtcdLog& log, std::string_view relay_id) {
  store::LogValue value;
  value.set_relay_id(std::string(relay_id));
  value.set_stored(log.stored);
  for (const EtcdFrame& frame : log.last) {
    store::KeptFrameValue* const last = value.add_last();
    last->set_size(frame.size);
    last->set_frame(frame.frame);
  }
  return value.SerializeAsString();
}

std::string WriteCursor(uint64_t accepted, std::string_view relay_id) {
  store::CursorValue value;
  value.set_relay_id(std::string(relay_id));
  value.set_accepted(accepted);
  return value.SerializeAsString();
}

std::string WriteFrame(std::string_view frame, std::string_view relay_id) {
  store::FrameValue value;
  value.set_relay_id(std::string(relay_id));
  value.set_frame(std::string(frame));
  return value.SerializeAsString();
}

std::string WritePresence(std::string_view relay_id) {
  store::PresenceValue value;
  value.set_relay_id(std::string(relay_id));
  return value.SerializeAsString();
}

std::string WriteNotice(uint32_t third_parties, std::string_view initiator,
                        std::string_view relay_id) {
  store::NoticeValue value;
  value.set_initiator(std::string(initiator));
  value.set_relay_id(std::string(relay_id));
  value.set_third_parties(third_parties);
  return value.SerializeAsString();
}

std::optional<ChannelRecord> ReadRecord(const std::string& bytes) {
  const auto value = Parse<store::RecordValue>(bytes);
  if (!value || value->version() == 0 || value->life() > static_cast<uint32_t>(Life::kExpired) ||
      !rendezvous::v1::Mood_IsValid(static_cast<int>(value->ended_by()))) {
    return std::nullopt;
  }
  ChannelRecord record;
  record.version = value->version();
  record.named = value->named();
  record.life = static_cast<Life>(value->life());
  record.ended_by = static_cast<Mood>(value->ended_by());
  record.created_at = absl::FromUnixMicros(value->created_at());
  record.due_at = absl::FromUnixMicros(value->due_at());
  record.member(Role::kInitiator) = {value->initiator().side(), value->initiator().left()};
  record.member(Role::kReceiver) = {value->receiver().side(), value->receiver().left()};
  return record;
}

std::optional<std::string> ReadFrame(const std::string& bytes) {
  auto value = Parse<store::FrameValue>(bytes);
  if (!value) return std::nullopt;
  return std::move(*value->mutable_frame());
}

EtcdNotice ReadNotice(const std::string& bytes) {
  const auto value = Parse<store::NoticeValue>(bytes);
  if (!value) return {};
  return {.third_parties = value->third_parties(), .initiator = value->initiator()};
}

std::string WriteSide(uint32_t id) { return absl::StrCat(id); }

std::string WriteRestingSide(uint32_t id, absl::Time until) {
  return absl::StrCat(id, " rests until ", absl::ToUnixMicros(until));
}

std::optional<EtcdSide> ReadSide(std::string_view value) {
  const std::vector<std::string> words =
      absl::StrSplit(absl::string_view(value.data(), value.size()), ' ');
  EtcdSide side;
  int64_t until = 0;
  if (!absl::SimpleAtoi(words[0], &side.id)) return std::nullopt;
  if (words.size() == 1) return side;
  if (words.size() != 4 || !absl::SimpleAtoi(words[3], &until)) return std::nullopt;
  side.rests_until = absl::FromUnixMicros(until);
  return side;
}

// Every value has its writer as field 1, which is written first.
std::string BeginningOf(std::string_view relay_id) { return WritePresence(relay_id); }

}  // namespace wormhole::relay
