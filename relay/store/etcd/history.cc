#include "relay/store/etcd/history.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Event;
using etcdserverpb::KeyValue;
using etcdserverpb::RangeResponse;
using etcdserverpb::RequestOp;
using etcdserverpb::ResponseHeader;
using etcdserverpb::ResponseOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using etcdserverpb::WatchResponse;

// What is remembered of a value, which may be a long frame: enough to know it again.
std::string Digest(const std::string& value) {
  return absl::StrCat(value.size(), " ", std::hash<std::string>()(value));
}

// Looks through what a transaction has done and read for the newest change.
class NewestChange {
 public:
  NewestChange(const std::string& first_watched, int64_t revision)
      : first_watched_(first_watched), revision_(revision) {}

  // All that is written has the answer's revision: nothing is newer.
  void Visit(const TxnRequest& request, const TxnResponse& response) {
    const auto& operations = response.succeeded() ? request.success() : request.failure();
    const int count = std::min(operations.size(), response.responses_size());
    for (int i = 0; i < count && newest_ < revision_; ++i) {
      Visit(operations[i], response.responses(i));
    }
  }

  EtcdHistory::Change Take() {
    if (key_ == nullptr) return {};
    return {.key = *key_,
            .revision = newest_,
            .value = value_ == nullptr ? std::string() : Digest(*value_)};
  }

 private:
  void Visit(const RequestOp& operation, const ResponseOp& response) {
    if (operation.has_request_txn()) {
      Visit(operation.request_txn(), response.response_txn());
    } else if (operation.has_request_put()) {
      Note(operation.request_put().key(), revision_, &operation.request_put().value());
    } else if (operation.has_request_delete_range()) {
      const auto& range = operation.request_delete_range();
      const bool deleted = response.response_delete_range().deleted() != 0;
      if (deleted && range.range_end().empty()) Note(range.key(), revision_, nullptr);
    } else {
      for (const KeyValue& kv : response.response_range().kvs()) {
        Note(kv.key(), kv.mod_revision(), &kv.value());
      }
    }
  }

  // `value` null: it was deleted.
  void Note(const std::string& key, int64_t revision, const std::string* value) {
    if (key < first_watched_ || revision <= newest_) return;
    newest_ = revision;
    key_ = &key;
    value_ = value;
  }

  const std::string& first_watched_;
  const int64_t revision_;
  int64_t newest_ = 0;
  // Of the request or the response, which outlive this object.
  const std::string* key_ = nullptr;
  const std::string* value_ = nullptr;
};

}  // namespace

EtcdHistory::Answer EtcdHistory::AnswerOf(const TxnRequest& request, const TxnResponse& response,
                                          const std::string& first_watched) {
  NewestChange newest(first_watched, response.header().revision());
  newest.Visit(request, response);
  return {.revision = response.header().revision(), .newest = newest.Take()};
}

// Neither a revision nor a term ever goes back; terms begin anew when etcd is restored.
bool EtcdHistory::GoesBack(const ResponseHeader& header, const Question& question) {
  if (question.cluster != 0 && header.cluster_id() != question.cluster) return true;
  return header.revision() < question.seen || header.raft_term() < question.term;
}

// A key that was written is not what it was before; that it is gone proves nothing.
bool EtcdHistory::Contradict(const std::vector<KeyValue>& records, const ResponseHeader& header,
                             const Question& question) const {
  if (another_ || GoesBack(header, question)) return true;
  return std::any_of(untold_.begin(), untold_.end(), [&](const Change& change) {
    if (change.revision > header.revision()) return false;
    return std::any_of(records.begin(), records.end(), [&change](const KeyValue& record) {
      if (record.key() != change.key || record.mod_revision() > change.revision) return false;
      return ChangeOf(record, /*deleted=*/false) != change;
    });
  });
}

// What answers have shown of later revisions the watch has still to tell.
void EtcdHistory::TakeRecords(const ResponseHeader& header, const std::vector<KeyValue>& records,
                              bool another) {
  if (another) *this = {};
  cluster_ = header.cluster_id();
  seen_ = std::max(seen_, header.revision());
  next_ = told_from_ = header.revision() + 1;
  told_.clear();
  compacted_ = false;
  std::erase_if(untold_, [this](const Change& change) { return change.revision < next_; });
  for (const KeyValue& record : records) {
    if (record.mod_revision() > last_.revision) last_ = ChangeOf(record, /*deleted=*/false);
  }
}

void EtcdHistory::TakeAnswer(const Answer& answer, int64_t seen) {
  if (answer.revision < seen) another_ = true;
  seen_ = std::max(seen_, answer.revision);
  const Change& change = answer.newest;
  if (change.key.empty() || change.revision < told_from_) return;
  if (WasTold(change)) return;
  if (change.revision < next_) another_ = true;
  // Who only reads is shown the same one again and again.
  if (std::find(untold_.begin(), untold_.end(), change) != untold_.end()) return;
  if (change.revision >= next_ && untold_.size() < kMostUntold) untold_.push_back(change);
}

bool EtcdHistory::TakeWatched(const WatchResponse& response) {
  const ResponseHeader& header = response.header();
  // etcd's proxy names no cluster when it lets a watch share another one, and for a revision what
  // was asked for.
  if (header.cluster_id() != 0) {
    if (header.cluster_id() != cluster_) return false;
    // A member that lags behind the others tells so little too, and is asked like them.
    if (response.created() && header.revision() < next_ - 1) return false;
  }
  if (response.compact_revision() != 0) compacted_ = true;
  for (const Event& event : response.events()) TakeEvent(event);
  // A piece, or a header that is ahead of the events, says nothing of what is still to come.
  const bool progress = response.events_size() == 0 && !response.created() && !response.canceled();
  if (progress) next_ = std::max(next_, header.revision() + 1);
  seen_ = std::max(seen_, header.revision());
  term_ = std::max(term_, header.raft_term());
  another_ = another_ || std::any_of(untold_.begin(), untold_.end(), [this](const Change& change) {
               return change.revision < next_;
             });
  return !another_;
}

// A watch that goes on tells some of what it has told before, and no more than that. Whether it
// leaves something out is not looked at: `last_` tells.
void EtcdHistory::TakeEvent(const Event& event) {
  Change change = ChangeOf(event.kv(), event.type() == Event::DELETE);
  const bool through = change.revision >= told_from_ && change.revision < next_;
  if (through && !WasTold(change)) another_ = true;
  told_.emplace(change.revision, Hash(change));
  while (told_.size() > kMostTold) {
    told_from_ = std::max(told_from_, told_.begin()->first + 1);
    told_.erase(told_.begin());
  }
  // One revision's events may come in several pieces: it is through when another one begins.
  next_ = std::max(next_, change.revision);
  std::erase(untold_, change);
  // Not what is told again: the newest one.
  if (change.revision >= last_.revision) last_ = std::move(change);
}

size_t EtcdHistory::Hash(const Change& change) {
  return std::hash<std::string>()(absl::StrCat(change.value, " ", change.key));
}

bool EtcdHistory::WasTold(const Change& change) const {
  return told_.contains({change.revision, Hash(change)});
}

int64_t EtcdHistory::WatchFrom() const { return std::max<int64_t>(1, next_ - 1); }

EtcdHistory::Verdict EtcdHistory::JudgeNow(const Question& question,
                                           const RangeResponse& now) const {
  if (another_ || GoesBack(now.header(), question)) return Verdict::kAnother;
  const Change& last = question.last;
  if (last.key.empty()) return Verdict::kSame;
  // Deleted, then or later, or written again since.
  if (now.kvs_size() == 0 || now.kvs(0).mod_revision() > last.revision) return Verdict::kUnclear;
  return Shows(now, question.last) ? Verdict::kSame : Verdict::kAnother;
}

TxnRequest EtcdHistory::AskThen(const Question& question) {
  TxnRequest request;
  const Change& last = question.last;
  for (const int64_t revision : {last.revision, last.revision - 1}) {
    etcdserverpb::RangeRequest* const range = request.add_success()->mutable_request_range();
    range->set_key(last.key);
    range->set_revision(revision);
  }
  return request;
}

// Only what was there can be deleted.
EtcdHistory::Verdict EtcdHistory::JudgeThen(const Question& question, const TxnResponse& answer) {
  const RangeResponse& then = answer.responses(0).response_range();
  const RangeResponse& before = answer.responses(1).response_range();
  const bool deleted = then.kvs_size() == 0 && before.kvs_size() != 0;
  const bool same = question.last.value.empty() ? deleted : Shows(then, question.last);
  return same ? Verdict::kSame : Verdict::kAnother;
}

EtcdHistory::Change EtcdHistory::ChangeOf(const KeyValue& kv, bool deleted) {
  return {.key = kv.key(),
          .revision = kv.mod_revision(),
          .value = deleted ? std::string() : Digest(kv.value())};
}

bool EtcdHistory::Shows(const RangeResponse& range, const Change& change) {
  return range.kvs_size() != 0 && range.kvs(0).mod_revision() == change.revision &&
         Digest(range.kvs(0).value()) == change.value;
}

}  // namespace wormhole::relay
