// What a WritePart asks of etcd: the difference between what was known and what is to be.
#include <algorithm>
#include <string>
#include <utility>

#include "relay/channel/side_rules.h"
#include "relay/store/etcd/write_part.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Compare;

constexpr Role kRoles[] = {Role::kInitiator, Role::kReceiver};

bool IsIn(const std::optional<ChannelRecord>& record, const std::string& side) {
  return record.has_value() && HasMember(*record, side);
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

bool WritePart::Write(const EtcdCalls& calls, std::optional<absl::Time>& missing_lease) {
  const bool needs_lease = after_.record.value && (record_changed_ || !frames_.empty() ||
                                                   log_changed_.any() || cursor_changed_.any());
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
  if (!drops_states_ || presence_changed_.any()) WritePresence();
  if (looks_) AddLook();
  return true;
}

void WritePart::AddLook() {
  look_ = request_.success_size();
  etcdserverpb::RangeRequest* const range = request_.add_success()->mutable_request_range();
  range->set_key(context_.keys->States(key_));
  range->set_range_end(EndOfPrefix(context_.keys->States(key_)));
}

// Of an earlier channel there may be logs. Where its sides were attached is gone, and etcd refuses
// to delete what is written in the same transaction.
void WritePart::WriteNoStates() {
  const EtcdKeys& keys = *context_.keys;
  AddDelete(keys.States(key_),
            presence_changed_.any() ? keys.EndOfLogs(key_) : EndOfPrefix(keys.States(key_)));
  AddDelete(keys.Frames(key_), EndOfPrefix(keys.Frames(key_)));
}

// A channel that ends before its time keeps its lease, and so its sides theirs; they rest under the
// lease of the channel that takes its place.
absl::Time WritePart::LastsUntil() const {
  const std::optional<ChannelRecord>& before = before_.record.value;
  const ChannelRecord& after = *after_.record.value;
  const bool same = before.has_value() && HasSameInitiator(*before, after);
  const bool makes_room = before.has_value() && TakesThePlaceOf(*before, after);
  return same || makes_room ? std::max(before->due_at, after.due_at) : after.due_at;
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
      // A stream that came and went meanwhile has left presence as it was.
      AddCondition(request_, keys.Arrival(key_, role), before_.arrivals[Index(role)]);
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
      log.DropUpTo(after_.LogOf(author).forgotten);
      AddPut(keys.Log(key_, author), WriteLog(log, context_.writer), lease);
    }
    if (!cursor_changed_[Index(author)]) continue;
    const uint64_t cursor = *after_.cursor(author).value;
    AddPut(keys.Cursor(key_, author), WriteCursor(cursor, context_.writer), lease);
    // What this part writes is beyond the cursor, or is not written: no key is written twice.
    const uint64_t first = before_.LogOf(author).forgotten + 1;
    if (!before_.MayHaveKeys(author, first, cursor)) continue;
    AddDelete(keys.Frame(key_, author, first), keys.Frame(key_, author, cursor) + '\0');
  }
}

// That a side has arrived lasts as long as its channel, whatever becomes of this relay: the record
// is there, and so is its lease. One of an older relay's making may have none.
void WritePart::WritePresence() {
  const int64_t arrival_lease = before_.lease != 0 ? before_.lease : context_.presence_lease;
  for (const Role role : kRoles) {
    if (!presence_changed_[Index(role)]) continue;
    if (arrives_[Index(role)]) {
      AddPut(context_.keys->Arrival(key_, role), relay::WritePresence(context_.writer),
             arrival_lease);
    }
    if (after_.presence(role).value) {
      AddPut(context_.keys->Presence(key_, role), relay::WritePresence(context_.writer),
             context_.presence_lease);
    } else {
      AddDelete(context_.keys->Presence(key_, role), "");
    }
  }
}

void WritePart::WriteRecord(int64_t lease) {
  record_lease_ = lease;
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

}  // namespace wormhole::relay
