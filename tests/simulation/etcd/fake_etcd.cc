#include "tests/simulation/etcd/fake_etcd.h"

#include <algorithm>
#include <utility>

namespace wormhole::simulation {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::Event;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using Ops = google::protobuf::RepeatedPtrField<RequestOp>;

bool IsIn(const std::string& key, const std::string& begin, const std::string& end) {
  return end.empty() ? key == begin : key >= begin && key < end;
}

template <typename T>
bool Compares(Compare::CompareResult result, const T& is, const T& to) {
  switch (result) {
    case Compare::EQUAL:
      return is == to;
    case Compare::NOT_EQUAL:
      return is != to;
    case Compare::GREATER:
      return is > to;
    case Compare::LESS:
      return is < to;
    default:
      return false;
  }
}

absl::Status TooMany() {
  return absl::InvalidArgumentError("etcdserver: too many operations in txn request");
}

absl::Status CheckSize(const TxnRequest& request, int most) {
  const int size =
      std::max({request.compare_size(), request.success_size(), request.failure_size()});
  if (size > most) return TooMany();
  for (const Ops* ops : {&request.success(), &request.failure()}) {
    for (const RequestOp& op : *ops) {
      if (!op.has_request_txn()) continue;
      if (absl::Status nested = CheckSize(op.request_txn(), most - size); !nested.ok()) {
        return nested;
      }
    }
  }
  return absl::OkStatus();
}

// What operations write, whatever their conditions come to.
struct Writes {
  std::set<std::string> puts;
  std::vector<std::pair<std::string, std::string>> deletes;

  bool Deletes(const std::string& key) const {
    return std::any_of(deletes.begin(), deletes.end(),
                       [&key](const auto& range) { return IsIn(key, range.first, range.second); });
  }
};

absl::StatusOr<Writes> CheckWrites(const Ops& ops) {
  const absl::Status twice =
      absl::InvalidArgumentError("etcdserver: duplicate key given in txn request");
  Writes writes;
  for (const RequestOp& op : ops) {
    if (!op.has_request_delete_range()) continue;
    const auto& range = op.request_delete_range();
    writes.deletes.emplace_back(range.key(), range.range_end());
  }
  for (const RequestOp& op : ops) {
    if (!op.has_request_txn()) continue;
    const absl::StatusOr<Writes> some = CheckWrites(op.request_txn().success());
    const absl::StatusOr<Writes> others = CheckWrites(op.request_txn().failure());
    if (!some.ok()) return some;
    if (!others.ok()) return others;
    for (const std::string& key : some->puts) {
      if (writes.Deletes(key) || !writes.puts.insert(key).second) return twice;
    }
    // One of the two only comes to pass.
    for (const std::string& key : others->puts) {
      if (writes.Deletes(key)) return twice;
      if (!writes.puts.insert(key).second && !some->puts.contains(key)) return twice;
    }
    for (const auto* branch : {&*some, &*others}) {
      writes.deletes.insert(writes.deletes.end(), branch->deletes.begin(), branch->deletes.end());
    }
  }
  for (const RequestOp& op : ops) {
    if (!op.has_request_put()) continue;
    const std::string& key = op.request_put().key();
    if (writes.Deletes(key) || !writes.puts.insert(key).second) return twice;
  }
  return writes;
}

}  // namespace

etcdserverpb::ResponseHeader FakeEtcd::Header() const {
  etcdserverpb::ResponseHeader header;
  header.set_cluster_id(cluster_);
  header.set_member_id(1);
  header.set_revision(revision_);
  header.set_raft_term(1);
  return header;
}

// --- Reading.

const FakeEtcd::KeyValue* FakeEtcd::FindAt(const Versions& versions, int64_t revision) const {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->mod_revision() > revision) continue;
    return version->version() == 0 ? nullptr : &*version;
  }
  return nullptr;
}

const FakeEtcd::KeyValue* FakeEtcd::Find(const std::string& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : FindAt(found->second, INT64_MAX);
}

void FakeEtcd::ForEach(const std::string& prefix,
                       const std::function<void(const KeyValue&)>& visit) const {
  for (auto key = keys_.lower_bound(prefix); key != keys_.end(); ++key) {
    if (!key->first.starts_with(prefix)) return;
    if (const KeyValue* const kv = FindAt(key->second, INT64_MAX)) visit(*kv);
  }
}

absl::Status FakeEtcd::CheckRevision(int64_t revision) const {
  if (revision > revision_) {
    return absl::OutOfRangeError("etcdserver: mvcc: required revision is a future revision");
  }
  if (revision > 0 && revision < compacted_) {
    return absl::OutOfRangeError("etcdserver: mvcc: required revision has been compacted");
  }
  return absl::OkStatus();
}

absl::StatusOr<RangeResponse> FakeEtcd::Range(const RangeRequest& request) const {
  if (absl::Status valid = CheckRevision(request.revision()); !valid.ok()) return valid;
  RangeResponse response;
  *response.mutable_header() = Header();
  const int64_t at = request.revision() > 0 ? request.revision() : INT64_MAX;
  for (auto key = keys_.lower_bound(request.key());
       key != keys_.end() && IsIn(key->first, request.key(), request.range_end()); ++key) {
    const KeyValue* const kv = FindAt(key->second, at);
    if (kv == nullptr) continue;
    if (request.limit() > 0 && response.kvs_size() == request.limit()) {
      response.set_more(true);
      break;
    }
    *response.add_kvs() = *kv;
  }
  return response;
}

// --- Transactions.

bool FakeEtcd::Holds(const Compare& compare) const {
  const KeyValue* const found = Find(compare.key());
  const KeyValue none;
  const KeyValue& kv = found != nullptr ? *found : none;
  switch (compare.target()) {
    case Compare::VERSION:
      return Compares(compare.result(), kv.version(), compare.version());
    case Compare::CREATE:
      return Compares(compare.result(), kv.create_revision(), compare.create_revision());
    case Compare::MOD:
      return Compares(compare.result(), kv.mod_revision(), compare.mod_revision());
    case Compare::LEASE:
      return Compares(compare.result(), kv.lease(), compare.lease());
    case Compare::VALUE:
      return found != nullptr && Compares(compare.result(), kv.value(), compare.value());
    default:
      return false;
  }
}

void FakeEtcd::Judge(const TxnRequest& request, std::vector<bool>& outcomes) const {
  const bool holds = std::all_of(request.compare().begin(), request.compare().end(),
                                 [this](const Compare& one) { return Holds(one); });
  outcomes.push_back(holds);
  for (const RequestOp& op : holds ? request.success() : request.failure()) {
    if (op.has_request_txn()) Judge(op.request_txn(), outcomes);
  }
}

absl::Status FakeEtcd::Check(const TxnRequest& request, const std::vector<bool>& outcomes,
                             size_t& next, const CheckOp& check) const {
  for (const RequestOp& op : outcomes[next++] ? request.success() : request.failure()) {
    absl::Status valid =
        op.has_request_txn() ? Check(op.request_txn(), outcomes, next, check) : check(op);
    if (!valid.ok()) return valid;
  }
  return absl::OkStatus();
}

absl::Status FakeEtcd::CheckPut(const RequestOp& op) const {
  if (!op.has_request_put() || op.request_put().lease() == 0) return absl::OkStatus();
  if (leases_.contains(op.request_put().lease())) return absl::OkStatus();
  return absl::NotFoundError("etcdserver: requested lease not found");
}

absl::Status FakeEtcd::CheckRange(const RequestOp& op) const {
  return op.has_request_range() ? CheckRevision(op.request_range().revision()) : absl::OkStatus();
}

absl::StatusOr<TxnResponse> FakeEtcd::Txn(const TxnRequest& request) {
  if (request.ByteSizeLong() > kMaxBytes) {
    return absl::InvalidArgumentError("etcdserver: request is too large");
  }
  if (absl::Status size = CheckSize(request, kMaxOps); !size.ok()) return size;
  for (const Ops* ops : {&request.success(), &request.failure()}) {
    if (const auto writes = CheckWrites(*ops); !writes.ok()) return writes.status();
  }
  std::vector<bool> outcomes;
  Judge(request, outcomes);
  for (const CheckOp& check : {CheckOp([this](const RequestOp& op) { return CheckPut(op); }),
                               CheckOp([this](const RequestOp& op) { return CheckRange(op); })}) {
    size_t next = 0;
    if (absl::Status valid = Check(request, outcomes, next, check); !valid.ok()) return valid;
  }
  TxnResponse response;
  size_t next = 0;
  Apply(request, outcomes, next, response);
  EndWrites();
  *response.mutable_header() = Header();
  return response;
}

void FakeEtcd::Apply(const TxnRequest& request, const std::vector<bool>& outcomes, size_t& next,
                     TxnResponse& response) {
  const bool holds = outcomes[next++];
  response.set_succeeded(holds);
  for (const RequestOp& op : holds ? request.success() : request.failure()) {
    etcdserverpb::ResponseOp& answer = *response.add_responses();
    if (op.has_request_txn()) {
      Apply(op.request_txn(), outcomes, next, *answer.mutable_response_txn());
    } else if (op.has_request_range()) {
      *answer.mutable_response_range() = *Range(op.request_range());
    } else if (op.has_request_put()) {
      Put(op.request_put());
      answer.mutable_response_put();
    } else {
      const auto& range = op.request_delete_range();
      answer.mutable_response_delete_range()->set_deleted(
          DeleteRange(range.key(), range.range_end()));
    }
  }
}

// --- Writing.

void FakeEtcd::EndWrites() {
  if (std::exchange(writing_, false)) ++revision_;
}

void FakeEtcd::AddEvent(Event::EventType type, const KeyValue& kv) {
  writing_ = true;
  Event& event = events_.emplace_back();
  event.set_type(type);
  *event.mutable_kv() = kv;
}

void FakeEtcd::Put(const etcdserverpb::PutRequest& request) {
  const KeyValue* const before = Find(request.key());
  if (before != nullptr && before->lease() != 0) {
    leases_[before->lease()].keys.erase(request.key());
  }
  KeyValue kv;
  kv.set_key(request.key());
  kv.set_value(request.value());
  kv.set_lease(request.lease());
  kv.set_mod_revision(revision_ + 1);
  kv.set_create_revision(before != nullptr ? before->create_revision() : revision_ + 1);
  kv.set_version(before != nullptr ? before->version() + 1 : 1);
  if (request.lease() != 0) leases_.at(request.lease()).keys.insert(request.key());
  keys_[request.key()].push_back(kv);
  AddEvent(Event::PUT, kv);
}

void FakeEtcd::Delete(const std::string& key) {
  const KeyValue* const before = Find(key);
  if (before->lease() != 0) leases_[before->lease()].keys.erase(key);
  KeyValue kv;
  kv.set_key(key);
  kv.set_mod_revision(revision_ + 1);
  keys_[key].push_back(kv);
  AddEvent(Event::DELETE, kv);
}

int64_t FakeEtcd::DeleteRange(const std::string& key, const std::string& end) {
  std::vector<std::string> gone;
  for (auto at = keys_.lower_bound(key); at != keys_.end() && IsIn(at->first, key, end); ++at) {
    if (FindAt(at->second, INT64_MAX) != nullptr) gone.push_back(at->first);
  }
  for (const std::string& one : gone) Delete(one);
  return static_cast<int64_t>(gone.size());
}

// --- Leases.

etcdserverpb::LeaseGrantResponse FakeEtcd::Grant(int64_t ttl_seconds, absl::Duration now) {
  const int64_t id = 1000 + ++leases_granted_;
  leases_[id] = {.ttl_seconds = ttl_seconds, .ends = now + absl::Seconds(ttl_seconds)};
  etcdserverpb::LeaseGrantResponse response;
  *response.mutable_header() = Header();
  response.set_id(id);
  response.set_ttl(ttl_seconds);
  return response;
}

absl::StatusOr<etcdserverpb::LeaseKeepAliveResponse> FakeEtcd::KeepAlive(int64_t lease,
                                                                         absl::Duration now) {
  const auto found = leases_.find(lease);
  if (found == leases_.end() || found->second.ends <= now) {
    return absl::NotFoundError("the lease is gone");
  }
  found->second.ends = now + absl::Seconds(found->second.ttl_seconds);
  etcdserverpb::LeaseKeepAliveResponse response;
  *response.mutable_header() = Header();
  response.set_id(lease);
  response.set_ttl(found->second.ttl_seconds);
  return response;
}

absl::StatusOr<etcdserverpb::LeaseRevokeResponse> FakeEtcd::Revoke(int64_t lease) {
  const auto found = leases_.find(lease);
  if (found == leases_.end()) return absl::NotFoundError("etcdserver: requested lease not found");
  const std::set<std::string> keys = found->second.keys;
  for (const std::string& key : keys) Delete(key);
  leases_.erase(lease);
  EndWrites();
  etcdserverpb::LeaseRevokeResponse response;
  *response.mutable_header() = Header();
  return response;
}

void FakeEtcd::EndLeases(absl::Duration now) {
  std::vector<int64_t> ended;
  for (const auto& [id, lease] : leases_) {
    if (lease.ends <= now) ended.push_back(id);
  }
  for (const int64_t id : ended) (void)Revoke(id);
}

// --- History.

// Ids of leases are random, in an etcd, and none is given twice.
void FakeEtcd::GoBack(const FakeEtcd& copy, bool new_token, absl::Duration now) {
  const uint64_t cluster = cluster_ + (new_token ? 1 : 0);
  const int64_t leases_granted = leases_granted_;
  *this = copy;
  cluster_ = cluster;
  leases_granted_ = leases_granted;
  for (auto& [id, lease] : leases_) lease.ends = now + absl::Seconds(lease.ttl_seconds);
}

std::optional<size_t> FakeEtcd::EventsFrom(int64_t revision) const {
  if (revision < compacted_) return std::nullopt;
  const auto first = std::find_if(events_.begin(), events_.end(), [revision](const Event& event) {
    return event.kv().mod_revision() >= revision;
  });
  return forgotten_ + static_cast<size_t>(first - events_.begin());
}

bool FakeEtcd::IsForgotten(const Event& event) const {
  return event.type() == Event::DELETE && event.kv().mod_revision() == compacted_;
}

void FakeEtcd::Compact(int64_t revision) {
  if (revision <= compacted_ || revision > revision_) return;
  compacted_ = revision;
  while (!events_.empty() && events_.front().kv().mod_revision() < revision) {
    events_.pop_front();
    ++forgotten_;
  }
  for (auto key = keys_.begin(); key != keys_.end();) {
    Versions& versions = key->second;
    size_t kept = 0;  // the last one that is not newer
    for (size_t i = 0; i < versions.size(); ++i) {
      if (versions[i].mod_revision() <= revision) kept = i;
    }
    versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(kept));
    const bool gone = versions.size() == 1 && versions[0].version() == 0 &&
                      versions[0].mod_revision() <= revision;
    key = gone ? keys_.erase(key) : std::next(key);
  }
}

}  // namespace wormhole::simulation
