// A relay's process and the etcd of a world: requests that take their time, get lost, or have their
// effect when nobody awaits it any more; and watches that are late, or end.
#ifndef WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_END_H_
#define WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_END_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/store/etcd/api.h"
#include "tests/simulation/etcd/etcd_world.h"
#include "tests/simulation/etcd/lost_events.h"
#include "tests/simulation/random.h"

namespace wormhole::simulation {

class EtcdEnd final : public relay::EtcdApi {
 public:
  // What everybody has time for: calls that fail no longer than this.
  static constexpr absl::Duration kShortFailure = absl::Seconds(3);

  // `on_trouble`: calls had no answer for longer, a lease was not renewed, or a watch has ended.
  EtcdEnd(EtcdWorld* world, SimRandom random, bool away, std::function<void()> on_trouble)
      : world_(world), random_(random), away_(away), on_trouble_(std::move(on_trouble)) {}

  // The process has ended: nobody hears an answer any more. What is under way may come to pass.
  void Die() { dead_ = true; }
  // The process is about to end: it waits for what it asks from now on.
  void Leave() { leaves_ = true; }
  // Away: no request reaches etcd, and no answer comes back.
  void SetAway(bool away);
  // Something was written: watches are told, in a while.
  void OnWritten();
  bool watches() const;
  // etcd was restored from a copy that had come to `revision`. What is under way is lost. `outrun`:
  // it is further on already than it was. `lost`, `all`: as LostEvents::Add.
  void OnWentBack(int64_t revision, bool new_token, bool outrun,
                  const std::vector<etcdserverpb::Event>& lost, bool all);
  // It has a new event.
  void OnEvent(const etcdserverpb::Event& event) { lost_.Note(event); }
  // What nobody can look up any more tells nobody whose history it is of.
  void OnCompacted(int64_t revision);
  // The store has found that out. False: it could not, or has done so before.
  bool TakeNoticed();
  // It has not found out what it was to find out.
  bool must_notice() const { return must_notice_ && !HasAllAgain(); }
  // It knows of changes that are lost, and has not found that out, though perhaps it cannot any
  // more: what it had acknowledged it acknowledges still.
  bool knows_of_lost() const { return knows_of_lost_ && !HasAllAgain(); }

  // relay::EtcdApi. Answers come from the event loop.
  size_t endpoints() const override { return 1; }
  void Stop() override;
  void Txn(std::shared_ptr<const etcdserverpb::TxnRequest> request,
           Done<etcdserverpb::TxnResponse> done) override;
  void Range(etcdserverpb::RangeRequest request, Done<etcdserverpb::RangeResponse> done) override;
  void Grant(int64_t ttl_seconds, Done<etcdserverpb::LeaseGrantResponse> done) override;
  void Revoke(int64_t lease, Done<etcdserverpb::LeaseRevokeResponse> done) override;
  void KeepAlive(int64_t lease, Done<etcdserverpb::LeaseKeepAliveResponse> done) override;
  void Watch(etcdserverpb::WatchCreateRequest request, OnWatched on_response,
             OnEnd on_end) override;

 private:
  struct Watching {
    etcdserverpb::WatchCreateRequest request;
    OnWatched on_response;
    OnEnd on_end;
    bool created = false;
    bool lost = false;  // its etcd is no more, of which it has still to hear
    bool scheduled = false;
    std::set<size_t> forgotten;  // events, when it began
    size_t next = 0;             // event
    int64_t told = 0;            // the newest revision of which it was told that nothing is missing
  };

  bool HasAllAgain() const { return !new_token_ && lost_.AllAgainUpTo(known_before_); }
  void NoteWritten(int64_t revision, bool in_this_history);
  void NoteTold(const etcdserverpb::WatchResponse& response);
  template <typename Response>
  void Call(std::function<absl::StatusOr<Response>()> effect, Done<Response> done);
  void Fail(uint64_t call, absl::Duration most, const absl::Status& why);
  void NoteFailure();
  // A lease may have run out whose renewal has failed for most of its time.
  void NoteRenewal(int64_t lease, std::optional<absl::Duration> renewed);
  void Create(uint64_t watch);
  void Schedule(uint64_t watch);
  void Deliver(uint64_t watch);
  bool Tell(Watching& watching);
  bool Wants(const Watching& watching, const etcdserverpb::Event& event) const;
  void CancelCompacted(uint64_t watch);
  void EndWatch(uint64_t watch, const absl::Status& why);
  // `action` after a while, unless this has gone before.
  void Later(absl::Duration most, std::function<void()> action);

  EtcdWorld* const world_;
  SimRandom random_;
  bool away_;
  const std::function<void()> on_trouble_;
  bool dead_ = false;
  bool leaves_ = false;
  bool stopped_ = false;
  uint64_t outages_ = 0;
  uint64_t notices_ = 0;
  std::optional<absl::Duration> failing_since_;
  struct Lease {
    absl::Duration ttl;
    absl::Duration renewed;  // the last time, or granted
  };
  std::map<int64_t, Lease> leases_;
  uint64_t last_ = 0;                                                   // of calls and watches
  std::map<uint64_t, std::function<void(const absl::Status&)>> calls_;  // what tells of the end
  std::map<uint64_t, Watching> watches_;
  // The newest change of which the store has heard, in etcd's history: from the watch, or at all.
  int64_t told_ = 0;
  int64_t known_ = 0;
  // When etcd was restored last, which is not noticed yet.
  int64_t told_before_ = 0;
  int64_t known_before_ = 0;
  int64_t back_to_ = 0;
  int unnoticed_ = 0;  // how often it was, and the store has not found out
  bool must_notice_ = false;
  bool knows_of_lost_ = false;
  LostEvents lost_;  // since it has found out last
  bool new_token_ = false;
  bool lists_ = false;  // it has begun to read everything, and does not watch again
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_END_H_
