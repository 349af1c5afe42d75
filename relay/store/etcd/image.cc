#include "relay/store/etcd/image.h"

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
  return value->writer();
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
  for (uint64_t number = stored; number > forgotten; --number) {
    if (const EtcdFrame* const kept = Find(number)) bytes += kept->frame.size();
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

LogState ChannelImage::LogUpTo(Role author, uint64_t number) const {
  const auto& log = logs[static_cast<size_t>(author)].value;
  LogState state;
  state.accepted = cursors[static_cast<size_t>(author)].value.value_or(0);
  if (!log) return state;
  state.stored = std::min(log->stored, number);
  state.forgotten = std::min(state.stored, state.accepted);
  uint64_t at = log->stored;
  for (auto frame = log->last.rbegin(); frame != log->last.rend(); ++frame, --at) {
    if (at > state.forgotten && at <= state.stored) state.bytes += frame->size;
  }
  return state;
}

bool ChannelImage::MayHaveKeys(Role author, uint64_t first, uint64_t last) const {
  const auto& log = logs[static_cast<size_t>(author)].value;
  for (uint64_t number = first; number <= last; ++number) {
    if (!log || number > log->stored) return true;  // others may have been stored since
    const EtcdFrame* const frame = log->Find(number);
    if (frame == nullptr || frame->frame.empty()) return true;
  }
  return false;
}

std::vector<StoredFrame> ChannelImage::FramesInLog(Role author, uint64_t after,
                                                   size_t max_bytes) const {
  std::vector<StoredFrame> frames;
  const auto& log = logs[static_cast<size_t>(author)].value;
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

std::optional<ChannelSnapshot> ChannelImage::SnapshotFor(std::string_view relay) const {
  if (!record.value) return std::nullopt;
  ChannelSnapshot snapshot{.record = *record.value};
  for (const Role role : {Role::kInitiator, Role::kReceiver}) {
    snapshot.log(role) = LogOf(role);
    const auto i = static_cast<size_t>(role);
    snapshot.elsewhere[i] = writers[i].value.has_value() && *writers[i].value != relay;
    snapshot.superseded[i] = SaidByOthers(role, relay) != 0;
  }
  return snapshot;
}

int64_t ChannelImage::SaidByOthers(Role role, std::string_view relay) const {
  int64_t newest = 0;
  for (const auto* cells : {&writers, &arrivals}) {
    const Cell<std::string>& cell = (*cells)[static_cast<size_t>(role)];
    if (cell.value && *cell.value != relay) newest = std::max(newest, cell.revision);
  }
  return newest;
}

bool ChannelImage::Take(const EtcdKeys::Place& place, const KeyValue& kv, bool exists) {
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
ChannelImage ChannelImage::Read(const EtcdKeys& keys, const RangeResponse& record_range,
                                const RangeResponse& state_range, int64_t revision) {
  ChannelImage found;
  for (const RangeResponse* range : {&record_range, &state_range}) {
    for (const KeyValue& kv : range->kvs()) {
      if (const auto place = keys.Parse(kv.key())) found.Take(*place, kv, true);
    }
  }
  const auto missing = [revision](auto& cell) {
    if (cell.revision == 0) cell.revision = revision;
  };
  missing(found.record);
  for (const Role role : {Role::kInitiator, Role::kReceiver}) {
    missing(found.log(role));
    missing(found.cursor(role));
    missing(found.arrival(role));
    missing(found.presence(role));
  }
  return found;
}

ChannelImage ChannelImage::MadeAt(int64_t revision) {
  ChannelImage image;
  for (const Role role : {Role::kInitiator, Role::kReceiver}) {
    image.log(role).revision = revision - 1;
    image.cursor(role).revision = revision - 1;
    image.arrival(role).revision = revision - 1;
    image.presence(role).revision = revision - 1;
  }
  return image;
}

void ChannelImage::Merge(const ChannelImage& other) {
  if (record.Take(other.record.revision, other.record.value)) lease = other.lease;
  for (size_t i = 0; i < logs.size(); ++i) {
    logs[i].Take(other.logs[i].revision, other.logs[i].value);
    cursors[i].Take(other.cursors[i].revision, other.cursors[i].value);
    arrivals[i].Take(other.arrivals[i].revision, other.arrivals[i].value);
    writers[i].Take(other.writers[i].revision, other.writers[i].value);
  }
}

std::string WriteRecord(const ChannelRecord& record, std::string_view writer) {
  store::RecordValue value;
  value.set_writer(std::string(writer));
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

std::string WriteLog(const EtcdLog& log, std::string_view writer) {
  store::LogValue value;
  value.set_writer(std::string(writer));
  value.set_stored(log.stored);
  for (const EtcdFrame& frame : log.last) {
    store::KeptFrameValue* const last = value.add_last();
    last->set_size(frame.size);
    last->set_frame(frame.frame);
  }
  return value.SerializeAsString();
}

std::string WriteCursor(uint64_t accepted, std::string_view writer) {
  store::CursorValue value;
  value.set_writer(std::string(writer));
  value.set_accepted(accepted);
  return value.SerializeAsString();
}

std::string WriteFrame(std::string_view frame, std::string_view writer) {
  store::FrameValue value;
  value.set_writer(std::string(writer));
  value.set_frame(std::string(frame));
  return value.SerializeAsString();
}

std::string WritePresence(std::string_view writer) {
  store::PresenceValue value;
  value.set_writer(std::string(writer));
  return value.SerializeAsString();
}

std::string WriteNotice(uint32_t third_parties, std::string_view initiator,
                        std::string_view writer) {
  store::NoticeValue value;
  value.set_initiator(std::string(initiator));
  value.set_writer(std::string(writer));
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
std::string BeginningOf(std::string_view writer) { return WritePresence(writer); }

}  // namespace wormhole::relay
