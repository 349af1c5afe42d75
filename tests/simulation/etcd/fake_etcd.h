// What etcd keeps, and what it makes of requests: keys with their history, transactions, leases. No
// I/O, and no clock but what comes in as a value. After etcd 3.4: mvcc/ and
// etcdserver/apply.go.
#ifndef WORMHOLE_TESTS_SIMULATION_ETCD_FAKE_ETCD_H_
#define WORMHOLE_TESTS_SIMULATION_ETCD_FAKE_ETCD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "etcd_rpc.pb.h"

namespace wormhole::simulation {

class FakeEtcd {
 public:
  using KeyValue = etcdserverpb::KeyValue;

  // etcd's defaults for --max-txn-ops and --max-request-bytes.
  static constexpr int kMaxOps = 128;
  static constexpr size_t kMaxBytes = 1'572'864;

  int64_t revision() const { return revision_; }

  // INVALID_ARGUMENT: too many operations, or two that write one key. NOT_FOUND: a lease is gone.
  // OUT_OF_RANGE: a revision that was compacted, or is still to come. None of them has an effect.
  absl::StatusOr<etcdserverpb::TxnResponse> Txn(const etcdserverpb::TxnRequest& request);
  absl::StatusOr<etcdserverpb::RangeResponse> Range(
      const etcdserverpb::RangeRequest& request) const;

  etcdserverpb::LeaseGrantResponse Grant(int64_t ttl_seconds, absl::Duration now);
  // NOT_FOUND: it is gone.
  absl::StatusOr<etcdserverpb::LeaseKeepAliveResponse> KeepAlive(int64_t lease, absl::Duration now);
  absl::StatusOr<etcdserverpb::LeaseRevokeResponse> Revoke(int64_t lease);
  // Ends the leases whose time is over, and deletes their keys.
  void EndLeases(absl::Duration now);

  // Goes back to what it was when `copy` was made, with its history, and with leases that last from
  // now on. A `new_token` makes another cluster of it.
  void GoBack(const FakeEtcd& copy, bool new_token, absl::Duration now);

  // Forgets what was before `revision`, and watches from before it.
  void Compact(int64_t revision);

  // What has happened, in order; each has a number from 0 on, also when the first ones are
  // forgotten.
  size_t first_event() const { return forgotten_; }
  size_t end_of_events() const { return forgotten_ + events_.size(); }
  const etcdserverpb::Event& event(size_t number) const { return events_[number - forgotten_]; }
  // A deletion of the revision to which etcd is compacted. Watches that begin later are not told of
  // it, nor that there is something of which they are not told; as in etcd 3.4.23.
  bool IsForgotten(const etcdserverpb::Event& event) const;
  // The first event of this revision or a later one; nothing: some of them are forgotten.
  std::optional<size_t> EventsFrom(int64_t revision) const;
  int64_t compacted() const { return compacted_; }
  etcdserverpb::ResponseHeader Header() const;

  // Of keys that begin with `prefix`, as they are now.
  void ForEach(const std::string& prefix, const std::function<void(const KeyValue&)>& visit) const;
  // As it is now; null: there is none.
  const KeyValue* Find(const std::string& key) const;

 private:
  struct Lease {
    int64_t ttl_seconds = 0;
    absl::Duration ends;
    std::set<std::string> keys;
  };
  // A key's versions, the oldest first; a deletion is one with version 0.
  using Versions = std::vector<KeyValue>;
  using CheckOp = std::function<absl::Status(const etcdserverpb::RequestOp&)>;

  const KeyValue* FindAt(const Versions& versions, int64_t revision) const;
  bool Holds(const etcdserverpb::Compare& compare) const;
  // The outcomes of the conditions of a transaction and of those nested in what it does, in the
  // order of Apply.
  void Judge(const etcdserverpb::TxnRequest& request, std::vector<bool>& outcomes) const;
  // Of all operations that come to pass.
  absl::Status Check(const etcdserverpb::TxnRequest& request, const std::vector<bool>& outcomes,
                     size_t& next, const CheckOp& check) const;
  absl::Status CheckPut(const etcdserverpb::RequestOp& op) const;
  absl::Status CheckRange(const etcdserverpb::RequestOp& op) const;
  absl::Status CheckRevision(int64_t revision) const;
  void Apply(const etcdserverpb::TxnRequest& request, const std::vector<bool>& outcomes,
             size_t& next, etcdserverpb::TxnResponse& response);
  void Put(const etcdserverpb::PutRequest& request);
  int64_t DeleteRange(const std::string& key, const std::string& end);
  void Delete(const std::string& key);
  void AddEvent(etcdserverpb::Event::EventType type, const KeyValue& kv);
  // Writes belong to the next revision until EndWrites.
  void EndWrites();

  uint64_t cluster_ = 1;
  int64_t revision_ = 1;  // as of a new etcd
  int64_t compacted_ = 0;
  bool writing_ = false;  // something was written under the next revision
  int64_t leases_granted_ = 0;
  std::map<std::string, Versions> keys_;
  std::map<int64_t, Lease> leases_;
  std::deque<etcdserverpb::Event> events_;
  size_t forgotten_ = 0;  // events
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_ETCD_FAKE_ETCD_H_
