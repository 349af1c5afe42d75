#include "relay/store/etcd/write_part.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "relay/store/log_rules.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::TxnResponse;

constexpr Role kRoles[] = {Role::kInitiator, Role::kReceiver};
// A part stays well below what etcd takes in one transaction, however small the frames are.
constexpr size_t kMaxFrames = 32;
// Each time somebody else's change came in between, which is progress too.
constexpr int kMaxAttempts = 32;

bool HasMember(const std::optional<ChannelRecord>& record, const std::string& side) {
  return record.has_value() &&
         std::any_of(record->members.begin(), record->members.end(),
                     [&side](const Member& member) { return member.side == side; });
}

size_t Index(Role role) { return static_cast<size_t>(role); }

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

bool WritePart::DoPut(const PutCall& call) {
  if (!results_.empty()) return false;
  record_changed_ = true;
  if (before_.version() != call.expected) {
    results_.emplace_back(PutOutcome::kStale);
    return true;
  }
  const bool had_ended = before_.record.value && before_.record.value->ended();
  if (had_ended || call.record.ended()) DropStates();
  after_.record.value = call.record;
  after_.record.value->version = call.expected + 1;
  results_.emplace_back(PutOutcome::kDone);
  return true;
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
    after_.presence(role).value.reset();
  }
}

bool WritePart::DoAppend(const AppendCall& call, size_t max_bytes) {
  if (after_.version() == 0 || after_.version() != call.version) {
    results_.emplace_back(AppendResult{.outcome = AppendOutcome::kStale});
    return true;
  }
  AppendResult result;
  EtcdLog log = after_.log(call.author).value.value_or(EtcdLog());
  const AppendStep step = JudgeAppend(after_.LogOf(call.author), call.number);
  switch (step) {
    case AppendStep::kKeep:
      if (frames_.size() == kMaxFrames) return false;
      if (!frames_.empty() && frame_bytes_ + call.frame.size() > max_bytes) return false;
      frames_.push_back({call.author, call.number, &call.frame});
      frame_bytes_ += call.frame.size();
      [[fallthrough]];
    case AppendStep::kCount:
      ++log.stored;
      log.sizes.push_back(call.frame.size());
      after_.log(call.author).value = std::move(log);
      log_changed_.set(Index(call.author));
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

void WritePart::DoAccept(const AcceptCall& call) {
  if (!after_.record.value) {
    results_.emplace_back(absl::StatusOr<LogState>(absl::NotFoundError("the channel is gone")));
    return;
  }
  std::optional<uint64_t>& cursor = after_.cursor(call.author).value;
  if (call.cursor > cursor.value_or(0)) {
    cursor = call.cursor;
    cursor_changed_.set(Index(call.author));
  }
  results_.emplace_back(absl::StatusOr<LogState>(after_.LogOf(call.author)));
}

// Only this relay's own word is taken back. Of an ended channel nobody is told, and nothing would
// take the key away again.
void WritePart::DoPresence(const PresenceCall& call) {
  std::optional<std::string>& writer = after_.presence(call.role).value;
  results_.emplace_back();
  if (call.attached) {
    if (!after_.record.value || after_.record.value->ended()) return;
    if (call.renewal) {
      presence_judged_.set(Index(call.role));
      if (writer.has_value()) return;
    }
    // Written again also when it is there: a later attachment at the same relay is a newer one.
    writer = context_.writer;
  } else {
    presence_judged_.set(Index(call.role));
    if (writer != context_.writer) return;
    writer.reset();
  }
  presence_changed_.set(Index(call.role));
}

bool WritePart::Write(const EtcdCalls& calls, std::optional<absl::Time>& missing_lease) {
  const bool needs_lease = after_.record.value && (record_changed_ || !frames_.empty() ||
                                                   log_changed_.any() || cursor_changed_.any());
  int64_t lease = 0;
  if (needs_lease) {
    lease = context_.lease(after_.record.value->due_at);
    if (lease == 0) {
      missing_lease = after_.record.value->due_at;
      return false;
    }
  }
  WriteConditions();
  AddStateReads(request_.mutable_failure());
  if (drops_states_) {
    AddDelete(context_.keys->States(key_), EndOfPrefix(context_.keys->States(key_)));
    AddDelete(context_.keys->Frames(key_), EndOfPrefix(context_.keys->Frames(key_)));
  } else {
    WriteLogs(lease);
    WritePresence();
  }
  if (!WritesRecord()) return true;
  WriteRecord(lease);
  WriteSides(std::get_if<PutCall>(&calls.front().what), lease);
  return true;
}

void WritePart::WriteConditions() {
  const EtcdKeys& keys = *context_.keys;
  AddCondition(request_, keys.Record(key_), before_.record);
  for (const Role role : kRoles) {
    if (log_judged_[Index(role)]) {
      AddCondition(request_, keys.Log(key_, role), before_.logs[Index(role)]);
    }
    if (cursor_changed_[Index(role)]) {
      AddCondition(request_, keys.Cursor(key_, role), before_.cursors[Index(role)]);
    }
    if (presence_judged_[Index(role)]) {
      AddCondition(request_, keys.Presence(key_, role), before_.writers[Index(role)]);
    }
  }
}

// Frames before the log that counts them: a watcher has the frame at hand when it hears of it.
void WritePart::WriteLogs(int64_t lease) {
  const EtcdKeys& keys = *context_.keys;
  for (const NewFrame& frame : frames_) {
    if (frame.number <= after_.LogOf(frame.author).forgotten) continue;
    AddPut(keys.Frame(key_, frame.author, frame.number), WriteFrame(*frame.frame, context_.writer),
           lease);
  }
  for (const Role author : kRoles) {
    if (log_changed_[Index(author)]) {
      EtcdLog& log = *after_.log(author).value;
      const uint64_t kept = log.stored - after_.LogOf(author).forgotten;
      while (log.sizes.size() > kept) log.sizes.pop_front();
      AddPut(keys.Log(key_, author), WriteLog(log, context_.writer), lease);
    }
    if (!cursor_changed_[Index(author)]) continue;
    AddPut(keys.Cursor(key_, author), WriteCursor(*after_.cursor(author).value, context_.writer),
           lease);
    // Not those that this part writes: a key is written once.
    const uint64_t first = before_.LogOf(author).forgotten + 1;
    const uint64_t last = std::min(after_.LogOf(author).forgotten, before_.LogOf(author).stored);
    if (first > last) continue;
    AddDelete(keys.Frame(key_, author, first), keys.Frame(key_, author, last + 1));
  }
}

void WritePart::WritePresence() {
  for (const Role role : kRoles) {
    if (!presence_changed_[Index(role)]) continue;
    if (after_.presence(role).value) {
      AddPut(context_.keys->Presence(key_, role), relay::WritePresence(context_.writer),
             context_.presence_lease);
    } else {
      AddDelete(context_.keys->Presence(key_, role), "");
    }
  }
}

void WritePart::WriteRecord(int64_t lease) {
  const std::string key = context_.keys->Record(key_);
  if (after_.record.value) {
    AddPut(key, relay::WriteRecord(*after_.record.value, context_.writer), lease);
  } else {
    AddDelete(key, "");
  }
}

void WritePart::WriteSides(const PutCall* put, int64_t lease) {
  const auto& before = before_.record.value;
  const auto& after = after_.record.value;
  const auto side_key = [this](const std::string& side) {
    return side_keys_.emplace_back(context_.keys->Side(key_.app_id, side));
  };
  if (before) {
    for (const Member& member : before->members) {
      if (!member.side.empty() && !HasMember(after, member.side))
        AddDelete(side_key(member.side), "");
    }
  }
  if (!after) return;
  for (const Member& member : after->members) {
    if (member.side.empty()) continue;
    const bool is_new = !HasMember(before, member.side);
    // They live as long as the record does.
    if (!is_new && before->due_at == after->due_at) continue;
    const std::string key = side_key(member.side);
    AddPut(key, absl::StrCat(key_.id), lease);
    if (!is_new) continue;
    Cell<bool> known;
    const auto own = put->own_sides.find(member.side);
    if (own != put->own_sides.end()) known = {.revision = own->second, .value = true};
    AddCondition(request_, key, known);
    request_.add_failure()->mutable_request_range()->set_key(key);
  }
}

void WritePart::AddPut(std::string key, std::string value, int64_t lease) {
  etcdserverpb::PutRequest* const put = request_.add_success()->mutable_request_put();
  put->set_key(std::move(key));
  put->set_value(std::move(value));
  put->set_lease(lease);
}

void WritePart::AddDelete(std::string key, std::string end) {
  auto* const range = request_.add_success()->mutable_request_delete_range();
  range->set_key(std::move(key));
  range->set_range_end(std::move(end));
}

bool WritePart::Finish(const TxnResponse& response, int64_t revision, ChannelImage& image,
                       EtcdCalls& calls, EtcdAnswers& answers) {
  if (response.succeeded()) {
    const bool wrote_record = WritesRecord();
    TakeWritten(revision, image);
    for (Result& result : results_) {
      Answer(calls.front(), result, answers);
      calls.pop_front();
    }
    return wrote_record;
  }
  TakeState(response, revision, image);
  ChannelImage read;
  TakeState(response, revision, read);
  EtcdCall& first = calls.front();
  Result known;
  if (auto* put = std::get_if<PutCall>(&first.what)) {
    if (read.version() != put->expected) {
      known = PutOutcome::kStale;
    } else if (IsSideTaken(response, *put)) {
      known = PutOutcome::kSideTaken;
    }
  }
  if (known.index() != 0) {
    Answer(first, known, answers);
  } else if (++first.attempts > kMaxAttempts) {
    FailCall(first, StoreAway("other relays change the channel too often"), answers);
  } else {
    return false;  // planned again
  }
  calls.pop_front();
  return false;
}

bool WritePart::WritesRecord() const {
  return record_changed_ && std::get<PutOutcome>(results_[0]) == PutOutcome::kDone;
}

bool WritePart::IsSideTaken(const TxnResponse& response, PutCall& put) const {
  for (int i = 2; i < response.responses_size(); ++i) {
    for (const etcdserverpb::KeyValue& kv : response.responses(i).response_range().kvs()) {
      if (kv.value() != absl::StrCat(key_.id)) return true;
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
    image.record.Take(revision, after_.record.value);
  }
  for (const Role role : kRoles) {
    const size_t i = Index(role);
    if (log_changed_[i] || drops_states_) image.log(role).Take(revision, after_.logs[i].value);
    if (cursor_changed_[i] || drops_states_) {
      image.cursor(role).Take(revision, after_.cursors[i].value);
    }
    if (presence_changed_[i] || drops_states_) {
      image.presence(role).Take(revision, after_.writers[i].value);
    }
  }
}

void WritePart::Answer(EtcdCall& call, Result& result, EtcdAnswers& answers) {
  if (std::holds_alternative<PresenceCall>(call.what)) return;
  if (auto* append = std::get_if<AppendCall>(&call.what)) {
    answers.push_back(
        [done = std::move(append->done), value = std::get<AppendResult>(result)] { done(value); });
  } else if (auto* accept = std::get_if<AcceptCall>(&call.what)) {
    answers.push_back([done = std::move(accept->done),
                       value = std::get<absl::StatusOr<LogState>>(result)] { done(value); });
  } else {
    auto* put = std::get_if<PutCall>(&call.what);
    auto& done = put != nullptr ? put->done : std::get<EraseCall>(call.what).done;
    answers.push_back(
        [done = std::move(done), value = std::get<PutOutcome>(result)] { done(value); });
  }
}

}  // namespace wormhole::relay
