#include "relay/store/etcd/write_txn.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "relay/channel/log_rules.h"
#include "relay/channel/side_rules.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::TxnResponse;

// A transaction stays well below what etcd takes in one transaction, however small the frames are.
constexpr size_t kMaxFrames = 32;
// Each time somebody else's change came in between, which is progress too.
constexpr int kMaxAttempts = 32;

// Whether a side of the new channel is one of that whose place it takes.
bool BringsRestingSide(const std::optional<ChannelRecord>& before, const ChannelRecord& record) {
  if (!before || !TakesThePlaceOf(*before, record)) return false;
  return std::any_of(record.members.begin(), record.members.end(), [&](const Member& member) {
    return !member.side.empty() && HasMember(*before, member.side);
  });
}

}  // namespace

std::unique_ptr<WriteTxn> WriteTxn::Plan(const TxnContext& context, const ChannelKey& key,
                                         const ChannelState& state, const EtcdCalls& calls,
                                         size_t max_bytes,
                                         std::optional<absl::Time>& missing_lease) {
  auto txn = absl::WrapUnique(new WriteTxn(context, key, state));
  for (const EtcdCall& call : calls) {
    if (txn->record_changed_ || !txn->Do(call, max_bytes)) break;
    ++txn->taken_;
  }
  if (!txn->Write(calls, missing_lease)) return nullptr;
  return txn;
}

bool WriteTxn::Do(const EtcdCall& call, size_t max_bytes) {
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
bool WriteTxn::MayFollow(const PutCall& call) const {
  const auto& before = before_.record.value;
  return before && !before->ended() && before->version == call.expected &&
         before->member(Role::kInitiator).side == call.record.member(Role::kInitiator).side &&
         before->member(Role::kReceiver).side == call.record.member(Role::kReceiver).side;
}

bool WriteTxn::DoPut(const PutCall& call) {
  if (!results_.empty() && !MayFollow(call)) return false;
  record_changed_ = true;
  const bool loses = before_.record.value && !before_.record.value->ended() &&
                     !Continues(*before_.record.value, call.record);
  if (before_.version() != call.expected || loses) {
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
  if (!call.record.ended()) ApplyOptions(call.options);
  reads_back_ = call.options.read_back;
  results_.emplace_back(PutOutcome::kDone);
  return true;
}

void WriteTxn::ApplyOptions(const PutOptions& options) {
  for (const Role role : kRoles) {
    RaiseCursor(role, options.accepted[role]);
    if (!options.attached.contains(role)) continue;
    attached_.Add(role);
    if (context_.presence_lease == 0) continue;  // it is said later: a record waits for no lease
    after_.presence(role).value = context_.relay_id;
    presence_changed_.Add(role);
  }
}

bool WriteTxn::DoErase(const EraseCall& call) {
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

void WriteTxn::DropStates() {
  drops_states_ = true;
  for (const Role role : kRoles) {
    after_.log(role).value.reset();
    after_.cursor(role).value.reset();
    after_.arrival(role).value.reset();
    after_.presence(role).value.reset();
  }
}

bool WriteTxn::DoAppend(const AppendCall& call, size_t max_bytes) {
  if (!after_.IsOf(call.channel) || after_.version() != call.version) {
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
      return false;  // is for a ReadTxn
    case AppendStep::kDone:
      break;
    case AppendStep::kGap:
      result.outcome = AppendOutcome::kGap;
      break;
  }
  log_judged_.Add(call.author);
  result.log = after_.LogOf(call.author);
  results_.emplace_back(result);
  return true;
}

void WriteTxn::AddFrame(const AppendCall& call, bool keep) {
  const uint64_t forgotten = after_.LogOf(call.author).forgotten;
  std::optional<EtcdLog>& log = after_.log(call.author).value;
  if (!log) log.emplace();
  if (log->Add(call.frame, keep, forgotten)) {
    frames_.push_back({call.author, call.number, &call.frame});
  }
  if (keep) frame_bytes_ += call.frame.size();
  log_changed_.Add(call.author);
}

void WriteTxn::DoAccept(const AcceptCall& call) {
  if (!after_.IsOf(call.channel)) {
    results_.emplace_back(absl::StatusOr<LogState>(absl::NotFoundError("the channel is gone")));
    return;
  }
  RaiseCursor(call.author, call.cursor);
  results_.emplace_back(absl::StatusOr<LogState>(after_.LogOf(call.author)));
}

void WriteTxn::RaiseCursor(Role author, uint64_t accepted) {
  std::optional<uint64_t>& cursor = after_.cursor(author).value;
  if (accepted <= cursor.value_or(0)) return;
  cursor = accepted;
  cursor_changed_.Add(author);
}

// Takes back only what this relay has written, and writes nothing when a newer stream is attached
// at another relay. A key is of one channel: for a channel that has ended, or has made room for
// another, it writes none, since nothing would take the key away again.
void WriteTxn::DoPresence(const PresenceCall& call) {
  const Cell<std::string>& before = before_.attached_at[call.role];
  std::optional<std::string>& relay_id = after_.presence(call.role).value;
  const bool foreign = before.value.has_value() && *before.value != context_.relay_id;
  results_.emplace_back();
  if (!after_.IsOf(call.initiator) || after_.record.value->ended()) return;
  presence_judged_.Add(call.role);
  if (!call.attached) {
    if (relay_id != context_.relay_id) return;
    relay_id = foreign ? before.value : std::nullopt;
    after_.arrival(call.role) = before_.arrivals[call.role];
    arrives_.Remove(call.role);
  } else {
    if (IsOlder(call)) return;
    relay_id = context_.relay_id;
    if (!call.renewal) {
      after_.arrival(call.role).value = context_.relay_id;
      arrives_.Add(call.role);
    }
  }
  // Written also when it is there already, under a lease that is perhaps gone.
  if (foreign && relay_id == before.value) {
    presence_changed_.Remove(call.role);
  } else {
    presence_changed_.Add(call.role);
  }
}

// What another relay has said since the stream came here is of a newer one. When it is said again
// what its lease has taken along, so is whatever another relay has said.
bool WriteTxn::IsOlder(const PresenceCall& call) const {
  const int64_t said = before_.SaidByOthers(call.role, context_.relay_id);
  return said != 0 && (call.renewal || (call.known.has_value() && said > *call.known));
}

bool WriteTxn::Finish(const TxnResponse& response, int64_t revision, ChannelState& state,
                      EtcdCalls& calls, EtcdAnswers& answers) {
  if (response.succeeded()) {
    const bool wrote_record = WritesRecord();
    // It was let go meanwhile; what had been known still holds for what was not written.
    if (state.empty()) state = before_;
    TakeWritten(revision, state);
    if (reads_back_) TakeReadBack(response, revision, state);
    for (Result& result : results_) {
      Answer(calls.front(), result, state, answers);
      calls.pop_front();
    }
    return wrote_record;
  }
  attached_ = {};
  const ChannelState read = StateOf(response, revision);
  state.Merge(read);
  if (FinishRefusedPut(response, read, calls, answers)) return false;
  EtcdCall& first = calls.front();
  if (++first.attempts <= kMaxAttempts) return false;  // planned again
  // Perhaps what is known is ahead of what there is, in an etcd that was restored: begun anew.
  state = ChannelState();
  if (std::holds_alternative<PresenceCall>(first.what)) {
    first.attempts = 0;  // waits for as long as it takes
    return false;
  }
  FailCall(first, StoreAway("other relays change the channel too often"), answers);
  calls.pop_front();
  return false;
}

// One that is stale changes nothing, whatever becomes of the calls before it.
bool WriteTxn::FinishRefusedPut(const TxnResponse& response, const ChannelState& read,
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

bool WriteTxn::WritesRecord() const {
  return record_changed_ && std::get<PutOutcome>(results_.back()) == PutOutcome::kDone;
}

bool WriteTxn::IsSideTaken(const TxnResponse& response, PutCall& put) const {
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

void WriteTxn::TakeWritten(int64_t revision, ChannelState& state) const {
  if (WritesRecord()) {
    if (state.record.Take(revision, after_.record.value)) state.lease = record_lease_;
  }
  for (const Role role : kRoles) {
    if (log_changed_.contains(role) || drops_states_)
      state.log(role).Take(revision, after_.logs[role].value);
    if (cursor_changed_.contains(role) || drops_states_) {
      state.cursor(role).Take(revision, after_.cursors[role].value);
    }
    if (arrives_.contains(role) || drops_states_)
      state.arrival(role).Take(revision, after_.arrivals[role].value);
    if (presence_changed_.contains(role) || drops_states_) {
      state.presence(role).Take(revision, after_.attached_at[role].value);
    }
  }
}

// Of the record it says nothing newer than what was written.
void WriteTxn::TakeReadBack(const TxnResponse& response, int64_t revision,
                            ChannelState& state) const {
  const etcdserverpb::RangeResponse no_record;
  state.Merge(ChannelState::Read(*context_.keys, no_record,
                                 response.responses(read_back_index_).response_range(), revision));
}

// The watch may have told of the other side's doings while the transaction was under way, and the
// listener has heard of them: an answer must not fall behind in one thing while it is ahead in
// another.
void WriteTxn::Answer(EtcdCall& call, Result& result, const ChannelState& state,
                      EtcdAnswers& answers) {
  if (auto* append = std::get_if<AppendCall>(&call.what)) {
    AppendResult value = std::get<AppendResult>(result);
    if (value.outcome != AppendOutcome::kStale && !drops_states_) {
      value.log = state.LogUpTo(append->author, value.log.stored);
    }
    answers.push_back([done = std::move(append->done), value] { done(value); });
  } else if (auto* accept = std::get_if<AcceptCall>(&call.what)) {
    auto value = std::get<absl::StatusOr<LogState>>(result);
    if (value.ok() && !drops_states_) {
      const bool appends = log_changed_.contains(accept->author);
      value = state.LogUpTo(accept->author, appends ? value->stored : UINT64_MAX);
    }
    answers.push_back([done = std::move(accept->done), value] { done(value); });
  } else if (!std::holds_alternative<PresenceCall>(call.what)) {
    auto* put = std::get_if<PutCall>(&call.what);
    auto& done = put != nullptr ? put->done : std::get<EraseCall>(call.what).done;
    answers.push_back(
        [done = std::move(done), value = std::get<PutOutcome>(result)] { done(value); });
  }
}

// What a WriteTxn asks of etcd: the difference between what was known and what is to be.

namespace {

using etcdserverpb::Compare;

bool IsIn(const std::optional<ChannelRecord>& record, const std::string& side) {
  return record.has_value() && HasMember(*record, side);
}

template <typename T>
void AddCondition(etcdserverpb::TxnRequest& request, std::string key, const Cell<T>& cell) {
  Compare* const compare = request.add_compare();
  compare->set_key(std::move(key));
  compare->set_result(Compare::EQUAL);
  if (cell.value.has_value()) {
    compare->set_target(Compare::MOD);
    compare->set_mod_revision(cell.revision);
  } else {
    compare->set_target(Compare::CREATE);
    compare->set_create_revision(0);
  }
}

}  // namespace

bool WriteTxn::Write(const EtcdCalls& calls, std::optional<absl::Time>& missing_lease) {
  const bool needs_lease =
      after_.record.value &&
      (record_changed_ || !frames_.empty() || !log_changed_.empty() || !cursor_changed_.empty());
  int64_t lease = 0;
  if (needs_lease) {
    lease = context_.lease(LastsUntil());
    if (lease == 0) {
      missing_lease = LastsUntil();
      return false;
    }
  }
  WriteConditions();
  AddStateReads(request_.mutable_failure());
  drops_states_ ? WriteNoStates() : WriteLogs(lease);
  if (WritesRecord()) {
    WriteRecord(lease);
    WriteSides(std::get_if<PutCall>(&calls[taken_ - 1].what), lease);
  }
  // After the record, of which a watcher is to hear first.
  if (!drops_states_ || !presence_changed_.empty()) WritePresence();
  if (reads_back_) AddReadBack();
  return true;
}

void WriteTxn::AddReadBack() {
  read_back_index_ = request_.success_size();
  etcdserverpb::RangeRequest* const range = request_.add_success()->mutable_request_range();
  range->set_key(context_.keys->States(key_));
  range->set_range_end(EndOfPrefix(context_.keys->States(key_)));
}

// Of an earlier channel there may be logs. Where its sides were attached is gone, and etcd refuses
// to delete what is written in the same transaction.
void WriteTxn::WriteNoStates() {
  const EtcdKeys& keys = *context_.keys;
  AddDelete(keys.States(key_),
            !presence_changed_.empty() ? keys.EndOfLogs(key_) : EndOfPrefix(keys.States(key_)));
  AddDelete(keys.Frames(key_), EndOfPrefix(keys.Frames(key_)));
}

// A channel that ends before its time keeps its lease, and so its sides theirs; they rest under the
// lease of the channel that takes its place.
absl::Time WriteTxn::LastsUntil() const {
  const std::optional<ChannelRecord>& before = before_.record.value;
  const ChannelRecord& after = *after_.record.value;
  const bool same = before.has_value() && HasSameInitiator(*before, after);
  const bool makes_room = before.has_value() && TakesThePlaceOf(*before, after);
  return same || makes_room ? std::max(before->due_at, after.due_at) : after.due_at;
}

void WriteTxn::WriteConditions() {
  const EtcdKeys& keys = *context_.keys;
  AddCondition(request_, keys.Record(key_), before_.record);
  for (const Role role : kRoles) {
    if (log_judged_.contains(role)) {
      AddCondition(request_, keys.Log(key_, role), before_.logs[role]);
    }
    if (cursor_changed_.contains(role)) {
      AddCondition(request_, keys.Cursor(key_, role), before_.cursors[role]);
    }
    if (presence_judged_.contains(role)) {
      AddCondition(request_, keys.Presence(key_, role), before_.attached_at[role]);
      // A stream that came and went meanwhile has left presence as it was.
      AddCondition(request_, keys.Arrival(key_, role), before_.arrivals[role]);
    }
  }
}

// Frames before the log that counts them: a watcher has got the frame when it hears of the log.
void WriteTxn::WriteLogs(int64_t lease) {
  const EtcdKeys& keys = *context_.keys;
  for (const NewFrame& frame : frames_) {
    if (frame.number <= after_.LogOf(frame.author).forgotten) continue;
    AddPut(keys.Frame(key_, frame.author, frame.number),
           WriteFrame(*frame.frame, context_.relay_id), lease);
  }
  for (const Role author : kRoles) {
    if (log_changed_.contains(author)) {
      EtcdLog& log = *after_.log(author).value;
      log.DropUpTo(after_.LogOf(author).forgotten);
      AddPut(keys.Log(key_, author), WriteLog(log, context_.relay_id), lease);
    }
    if (!cursor_changed_.contains(author)) continue;
    const uint64_t cursor = *after_.cursor(author).value;
    AddPut(keys.Cursor(key_, author), WriteCursor(cursor, context_.relay_id), lease);
    // What this transaction writes is beyond the cursor, or is not written: no key is written
    // twice.
    const uint64_t first = before_.LogOf(author).forgotten + 1;
    if (!before_.MayHaveKeys(author, first, cursor)) continue;
    AddDelete(keys.Frame(key_, author, first), keys.Frame(key_, author, cursor) + '\0');
  }
}

// That a side has arrived lasts as long as its channel, whatever becomes of this relay: the record
// is there, and so is its lease. One of an older relay's making may have none.
void WriteTxn::WritePresence() {
  const int64_t arrival_lease = before_.lease != 0 ? before_.lease : context_.presence_lease;
  for (const Role role : kRoles) {
    if (!presence_changed_.contains(role)) continue;
    if (arrives_.contains(role)) {
      AddPut(context_.keys->Arrival(key_, role), relay::WritePresence(context_.relay_id),
             arrival_lease);
    }
    if (after_.presence(role).value) {
      AddPut(context_.keys->Presence(key_, role), relay::WritePresence(context_.relay_id),
             context_.presence_lease);
    } else {
      AddDelete(context_.keys->Presence(key_, role), "");
    }
  }
}

void WriteTxn::WriteRecord(int64_t lease) {
  record_lease_ = lease;
  const std::string key = context_.keys->Record(key_);
  if (after_.record.value) {
    AddPut(key, relay::WriteRecord(*after_.record.value, context_.relay_id), lease);
  } else {
    AddDelete(key, "");
  }
}

void WriteTxn::WriteSides(const PutCall* put, int64_t lease) {
  const auto& before = before_.record.value;
  const auto& after = after_.record.value;
  const auto side_key = [this](const std::string& side) {
    return side_keys_.emplace_back(context_.keys->Side(key_.app_id, side));
  };
  if (before) {
    const bool makes_room = after && TakesThePlaceOf(*before, *after);
    for (const Member& member : before->members) {
      if (member.side.empty() || IsIn(after, member.side)) continue;
      if (makes_room) {
        AddPut(side_key(member.side), WriteRestingSide(key_.id, before->due_at), lease);
      } else {
        AddDelete(side_key(member.side), "");
      }
    }
  }
  if (!after) return;
  for (const Member& member : after->members) {
    if (member.side.empty()) continue;
    const bool is_new = !IsIn(before, member.side);
    // They live as long as the record does.
    if (!is_new && before->due_at >= after->due_at) continue;
    const std::string key = side_key(member.side);
    AddPut(key, WriteSide(key_.id), lease);
    if (!is_new) continue;
    Cell<bool> known;
    const auto own = put->own_sides.find(member.side);
    if (own != put->own_sides.end()) known = {.revision = own->second, .value = true};
    AddCondition(request_, key, known);
    request_.add_failure()->mutable_request_range()->set_key(key);
  }
}

void WriteTxn::AddPut(std::string key, std::string value, int64_t lease) {
  etcdserverpb::PutRequest* const put = request_.add_success()->mutable_request_put();
  put->set_key(std::move(key));
  put->set_value(std::move(value));
  put->set_lease(lease);
}

void WriteTxn::AddDelete(std::string key, std::string end) {
  auto* const range = request_.add_success()->mutable_request_delete_range();
  range->set_key(std::move(key));
  range->set_range_end(std::move(end));
}

}  // namespace wormhole::relay
