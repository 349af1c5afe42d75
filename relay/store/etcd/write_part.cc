#include "relay/store/etcd/write_part.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "relay/channel/log_rules.h"
#include "relay/channel/side_rules.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::TxnResponse;

constexpr Role kRoles[] = {Role::kInitiator, Role::kReceiver};
// A part stays well below what etcd takes in one transaction, however small the frames are.
constexpr size_t kMaxFrames = 32;
// Each time somebody else's change came in between, which is progress too.
constexpr int kMaxAttempts = 32;

size_t Index(Role role) { return static_cast<size_t>(role); }

// Whether a side of the new channel is one of that whose place it takes.
bool BringsRestingSide(const std::optional<ChannelRecord>& before, const ChannelRecord& record) {
  if (!before || !TakesThePlaceOf(*before, record)) return false;
  return std::any_of(record.members.begin(), record.members.end(), [&](const Member& member) {
    return !member.side.empty() && HasMember(*before, member.side);
  });
}

}  // namespace

std::unique_ptr<WritePart> WritePart::Plan(const PartContext& context, const ChannelKey& key,
                                           const ChannelImage& image, const EtcdCalls& calls,
                                           size_t max_bytes,
                                           std::optional<absl::Time>& missing_lease) {
  auto part = absl::WrapUnique(new WritePart(context, key, image));
  for (const EtcdCall& call : calls) {
    if (part->record_changed_ || !part->Do(call, max_bytes)) break;
    ++part->taken_;
  }
  if (!part->Write(calls, missing_lease)) return nullptr;
  return part;
}

bool WritePart::Do(const EtcdCall& call, size_t max_bytes) {
  if (const auto* put = std::get_if<PutCall>(&call.what)) return DoPut(*put);
  if (const auto* erase = std::get_if<EraseCall>(&call.what)) return DoErase(*erase);
  if (const auto* append = std::get_if<AppendCall>(&call.what)) return DoAppend(*append, max_bytes);
  if (const auto* accept = std::get_if<AcceptCall>(&call.what)) {
    DoAccept(*accept);
    return true;
  }
  if (const auto* presence = std::get_if<PresenceCall>(&call.what)) {
    DoPresence(*presence);
    return true;
  }
  return false;
}

// A change of the record that brings a side goes alone: which of them was refused would be unclear.
bool WritePart::MayFollow(const PutCall& call) const {
  const auto& before = before_.record.value;
  return before && !before->ended() && before->version == call.expected &&
         before->member(Role::kInitiator).side == call.record.member(Role::kInitiator).side &&
         before->member(Role::kReceiver).side == call.record.member(Role::kReceiver).side;
}

bool WritePart::DoPut(const PutCall& call) {
  if (!results_.empty() && !MayFollow(call)) return false;
  record_changed_ = true;
  const bool is_anothers = before_.record.value && !before_.record.value->ended() &&
                           !HasSameInitiator(*before_.record.value, call.record);
  if (before_.version() != call.expected || is_anothers) {
    results_.emplace_back(PutOutcome::kStale);
    return true;
  }
  if (BringsRestingSide(before_.record.value, call.record)) {
    results_.emplace_back(PutOutcome::kSideTaken);
    return true;
  }
  // Of a record whose lease ran out before theirs, logs may be left.
  const bool is_new = call.expected == 0 || before_.record.value->ended();
  if (is_new || call.record.ended()) DropStates();
  after_.record.value = call.record;
  after_.record.value->version = call.expected + 1;
  if (!call.record.ended()) DoAlong(call.along);
  looks_ = call.along.look;
  results_.emplace_back(PutOutcome::kDone);
  return true;
}

void WritePart::DoAlong(const PutAlong& along) {
  for (const Role role : kRoles) {
    RaiseCursor(role, along.accepted[Index(role)]);
    if (!along.attached.test(Index(role))) continue;
    attached_.set(Index(role));
    if (context_.presence_lease == 0) continue;  // it is said later: a record waits for no lease
    after_.presence(role).value = context_.writer;
    presence_changed_.set(Index(role));
  }
}

bool WritePart::DoErase(const EraseCall& call) {
  if (!results_.empty()) return false;
  record_changed_ = true;
  if (before_.version() == 0 || before_.version() != call.expected) {
    results_.emplace_back(PutOutcome::kStale);
    return true;
  }
  DropStates();
  after_.record.value.reset();
  results_.emplace_back(PutOutcome::kDone);
  return true;
}

void WritePart::DropStates() {
  drops_states_ = true;
  for (const Role role : kRoles) {
    after_.log(role).value.reset();
    after_.cursor(role).value.reset();
    after_.arrival(role).value.reset();
    after_.presence(role).value.reset();
  }
}

bool WritePart::DoAppend(const AppendCall& call, size_t max_bytes) {
  if (!after_.IsOf(call.initiator) || after_.version() != call.version) {
    results_.emplace_back(AppendResult{.outcome = AppendOutcome::kStale});
    return true;
  }
  AppendResult result;
  switch (JudgeAppend(after_.LogOf(call.author), call.number)) {
    case AppendStep::kKeep:
      if (frames_.size() == kMaxFrames) return false;
      if (frame_bytes_ != 0 && frame_bytes_ + call.frame.size() > max_bytes) return false;
      AddFrame(call, true);
      break;
    case AppendStep::kCount:
      AddFrame(call, false);
      break;
    case AppendStep::kCompare:
      return false;  // is for a ReadPart
    case AppendStep::kDone:
      break;
    case AppendStep::kGap:
      result.outcome = AppendOutcome::kGap;
      break;
  }
  log_judged_.set(Index(call.author));
  result.log = after_.LogOf(call.author);
  results_.emplace_back(result);
  return true;
}

void WritePart::AddFrame(const AppendCall& call, bool keep) {
  const uint64_t forgotten = after_.LogOf(call.author).forgotten;
  std::optional<EtcdLog>& log = after_.log(call.author).value;
  if (!log) log.emplace();
  if (log->Add(call.frame, keep, forgotten)) {
    frames_.push_back({call.author, call.number, &call.frame});
  }
  if (keep) frame_bytes_ += call.frame.size();
  log_changed_.set(Index(call.author));
}

void WritePart::DoAccept(const AcceptCall& call) {
  if (!after_.IsOf(call.initiator)) {
    results_.emplace_back(absl::StatusOr<LogState>(absl::NotFoundError("the channel is gone")));
    return;
  }
  RaiseCursor(call.author, call.cursor);
  results_.emplace_back(absl::StatusOr<LogState>(after_.LogOf(call.author)));
}

void WritePart::RaiseCursor(Role author, uint64_t accepted) {
  std::optional<uint64_t>& cursor = after_.cursor(author).value;
  if (accepted <= cursor.value_or(0)) return;
  cursor = accepted;
  cursor_changed_.set(Index(author));
}

// Only this relay's own word is taken back, and none is given when a newer stream is elsewhere. The
// word is of one channel: of one that has ended, or has made room for another, nobody is told, and
// nothing would take the key away again.
void WritePart::DoPresence(const PresenceCall& call) {
  const Cell<std::string>& before = before_.writers[Index(call.role)];
  std::optional<std::string>& writer = after_.presence(call.role).value;
  const bool foreign = before.value.has_value() && *before.value != context_.writer;
  results_.emplace_back();
  if (!after_.IsOf(call.initiator) || after_.record.value->ended()) return;
  presence_judged_.set(Index(call.role));
  if (!call.attached) {
    if (writer != context_.writer) return;
    writer = foreign ? before.value : std::nullopt;
    after_.arrival(call.role) = before_.arrivals[Index(call.role)];
    arrives_.reset(Index(call.role));
  } else {
    if (IsOlder(call)) return;
    writer = context_.writer;
    if (!call.renewal) {
      after_.arrival(call.role).value = context_.writer;
      arrives_.set(Index(call.role));
    }
  }
  // Written also when it is there already, under a lease that is perhaps gone.
  presence_changed_.set(Index(call.role), !(foreign && writer == before.value));
}

// What another relay has said since the stream came here is of a newer one. When it is said again
// what its lease has taken along, so is whatever another relay has said.
bool WritePart::IsOlder(const PresenceCall& call) const {
  const int64_t said = before_.SaidByOthers(call.role, context_.writer);
  return said != 0 && (call.renewal || (call.known.has_value() && said > *call.known));
}

bool WritePart::Finish(const TxnResponse& response, int64_t revision, ChannelImage& image,
                       EtcdCalls& calls, EtcdAnswers& answers) {
  if (response.succeeded()) {
    const bool wrote_record = WritesRecord();
    // It was let go meanwhile; what had been known still holds for what was not written.
    if (image.empty()) image = before_;
    TakeWritten(revision, image);
    if (looks_) TakeSeen(response, revision, image);
    for (Result& result : results_) {
      Answer(calls.front(), result, image, answers);
      calls.pop_front();
    }
    return wrote_record;
  }
  attached_.reset();
  const ChannelImage read = StateOf(response, revision);
  image.Merge(read);
  if (FinishRefusedPut(response, read, calls, answers)) return false;
  EtcdCall& first = calls.front();
  if (++first.attempts <= kMaxAttempts) return false;  // planned again
  // Perhaps what is known is ahead of what there is, in an etcd that was restored: begun anew.
  image = ChannelImage();
  if (std::holds_alternative<PresenceCall>(first.what)) {
    first.attempts = 0;  // waits for as long as it takes
    return false;
  }
  FailCall(first, StoreAway("other relays change the channel too often"), answers);
  calls.pop_front();
  return false;
}

// One that is stale changes nothing, whatever becomes of the calls before it.
bool WritePart::FinishRefusedPut(const TxnResponse& response, const ChannelImage& read,
                                 EtcdCalls& calls, EtcdAnswers& answers) {
  auto* const put = std::get_if<PutCall>(&calls[taken_ - 1].what);
  if (put == nullptr) return false;
  Result known;
  if (read.version() != put->expected) {
    known = PutOutcome::kStale;
  } else if (IsSideTaken(response, *put)) {
    known = PutOutcome::kSideTaken;
  } else {
    return false;
  }
  Answer(calls[taken_ - 1], known, read, answers);
  calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(taken_ - 1));
  return true;
}

bool WritePart::WritesRecord() const {
  return record_changed_ && std::get<PutOutcome>(results_.back()) == PutOutcome::kDone;
}

bool WritePart::IsSideTaken(const TxnResponse& response, PutCall& put) const {
  for (int i = 2; i < response.responses_size(); ++i) {
    for (const etcdserverpb::KeyValue& kv : response.responses(i).response_range().kvs()) {
      const std::optional<EtcdSide> side = ReadSide(kv.value());
      if (!side) return true;
      const bool rested = side->rests_until && *side->rests_until <= context_.rested;
      if (!rested && (side->rests_until || side->id != key_.id)) return true;
      for (const Member& member : put.record.members) {
        if (member.side.empty()) continue;
        if (context_.keys->Side(key_.app_id, member.side) != kv.key()) continue;
        put.own_sides[member.side] = kv.mod_revision();
      }
    }
  }
  return false;
}

void WritePart::TakeWritten(int64_t revision, ChannelImage& image) const {
  if (WritesRecord()) {
    if (image.record.Take(revision, after_.record.value)) image.lease = record_lease_;
  }
  for (const Role role : kRoles) {
    const size_t i = Index(role);
    if (log_changed_[i] || drops_states_) image.log(role).Take(revision, after_.logs[i].value);
    if (cursor_changed_[i] || drops_states_) {
      image.cursor(role).Take(revision, after_.cursors[i].value);
    }
    if (arrives_[i] || drops_states_) image.arrival(role).Take(revision, after_.arrivals[i].value);
    if (presence_changed_[i] || drops_states_) {
      image.presence(role).Take(revision, after_.writers[i].value);
    }
  }
}

// Of the record it says nothing newer than what was written.
void WritePart::TakeSeen(const TxnResponse& response, int64_t revision, ChannelImage& image) const {
  const etcdserverpb::RangeResponse no_record;
  image.Merge(ChannelImage::Read(*context_.keys, no_record,
                                 response.responses(look_).response_range(), revision));
}

// The watch may have told of the other side's doings while the part was under way, and the listener
// has heard of them: an answer must not fall behind in one thing while it is ahead in another.
void WritePart::Answer(EtcdCall& call, Result& result, const ChannelImage& image,
                       EtcdAnswers& answers) {
  if (auto* append = std::get_if<AppendCall>(&call.what)) {
    AppendResult value = std::get<AppendResult>(result);
    if (value.outcome != AppendOutcome::kStale && !drops_states_) {
      value.log = image.LogUpTo(append->author, value.log.stored);
    }
    answers.push_back([done = std::move(append->done), value] { done(value); });
  } else if (auto* accept = std::get_if<AcceptCall>(&call.what)) {
    auto value = std::get<absl::StatusOr<LogState>>(result);
    if (value.ok() && !drops_states_) {
      const bool appends = log_changed_[Index(accept->author)];
      value = image.LogUpTo(accept->author, appends ? value->stored : UINT64_MAX);
    }
    answers.push_back([done = std::move(accept->done), value] { done(value); });
  } else if (!std::holds_alternative<PresenceCall>(call.what)) {
    auto* put = std::get_if<PutCall>(&call.what);
    auto& done = put != nullptr ? put->done : std::get<EraseCall>(call.what).done;
    answers.push_back(
        [done = std::move(done), value = std::get<PutOutcome>(result)] { done(value); });
  }
}

}  // namespace wormhole::relay
