// A store in etcd, shared by all relays that use the same prefix. An acknowledged write is in the
// logs of a majority of etcd's members.
//
// Calls wait in a queue per channel (waiting_calls.h). One batch at a time goes to etcd, of all
// that waits (batch.h, plan.h); when it is answered, the next one follows. Where sides are attached
// waits in no queue (presence.h), and goes in a batch behind the calls. A watch brings what other
// relays do (watcher.h), and a cache keeps what is known (etcd_cache.h). Frames go to the log and
// come from the watch; a watch that is late or lost costs time, never a frame.
//
// While etcd is away (availability.h) everything waits, up to a limit; then calls fail, and clients
// are sent to another relay, which may have an etcd. A store that is opened while etcd is away
// (start.h) is such a one, too: it learns by its watch what there is, as after a time away.
#ifndef WORMHOLE_RELAY_STORE_ETCD_ETCD_STORE_H_
#define WORMHOLE_RELAY_STORE_ETCD_ETCD_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "etcd_rpc.pb.h"
#include "proto/sync/mutex.h"
#include "relay/clock/clock.h"
#include "relay/store/etcd/api.h"
#include "relay/store/etcd/availability.h"
#include "relay/store/etcd/batch.h"
#include "relay/store/etcd/call.h"
#include "relay/store/etcd/channel_state.h"
#include "relay/store/etcd/clock_sync.h"
#include "relay/store/etcd/etcd_cache.h"
#include "relay/store/etcd/keys.h"
#include "relay/store/etcd/leases.h"
#include "relay/store/etcd/presence.h"
#include "relay/store/etcd/presence_lease.h"
#include "relay/store/etcd/servers.h"
#include "relay/store/etcd/start.h"
#include "relay/store/etcd/third_party_notices.h"
#include "relay/store/etcd/waiting_calls.h"
#include "relay/store/etcd/watcher.h"
#include "relay/store/store.h"

namespace wormhole::relay {

struct EtcdOptions {
  // For OpenEtcd (open.h), which makes a client of them; a store that is given another EtcdApi
  // needs none.
  EtcdServers servers;

  // Under which all keys are. Relays that share channels share it.
  std::string prefix = "wormhole/";

  // Names this process among the relays: 16 random bytes.
  std::string relay_id;

  // The clock that this relay goes by; the store keeps it in step with the other relays'. Never
  // null, outlives the store.
  RelayClock* clock = nullptr;

  // How long a call waits for an etcd that is away, and how long the creation of a channel does:
  // long enough for the election of a leader, short enough that a client is soon at another relay.
  // Until the start is over all calls wait as long as a creation: no exchange relies on this relay.
  absl::Duration patience = absl::Seconds(5);
  absl::Duration creation_patience = absl::Seconds(1);

  // When the other relays have heard nothing of this one for so long, its sides count as detached,
  // and its clock as one that joins.
  absl::Duration presence_ttl = absl::Seconds(10);

  // Told once: OK when the store works, which is when etcd is there; or why it never will, in one
  // line, since waiting does not help: etcd refuses the user, the prefix, or what it is asked. On a
  // thread of gRPC's or inside some Flush. Every call is answered as if etcd were away until OK.
  std::function<void(const absl::Status& status)> on_started = nullptr;

  // As SqliteOptions::on_trouble.
  std::function<void(const absl::Status& status)> on_trouble = nullptr;

  // Called when etcd was restored from an older copy, before the store forgets what it knew.
  std::function<void()> on_restored = nullptr;

  // Told of each batch of calls that etcd has carried out: how long its answer took, and how many
  // calls were in it. On a thread of gRPC's.
  std::function<void(absl::Duration took, size_t operations)> on_commit = nullptr;
};

class EtcdStore final : public Store {
 public:
  using SteadyClock = std::function<absl::Duration()>;  // never goes back; any thread

  // Begins to read which channels there are, and does not wait for it; each Flush goes on with it.
  static std::unique_ptr<EtcdStore> Open(EtcdOptions options, std::unique_ptr<EtcdApi> etcd,
                                         SteadyClock steady_now);
  ~EtcdStore() override;

  absl::Status Start(StoreListener* listener) override;
  void Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) override;
  void FindSide(std::string_view app_id, std::string_view side,
                Done<std::optional<uint32_t>> done) override;
  void Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
           const PutOptions& options, Done<PutOutcome> done) override;
  void Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) override;
  void Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
              std::string frame, Done<AppendResult> done) override;
  void Accept(const ChannelRef& channel, Role author, uint64_t cursor,
              Done<LogState> done) override;
  void Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
            Done<std::vector<StoredFrame>> done) override;
  void Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) override;
  void Flush() override WORMHOLE_EXCLUDES(mutex_);

  bool shared() const override { return true; }
  std::optional<ChannelSnapshot> Cached(const ChannelKey& key) override;
  void SetAttached(const ChannelRef& channel, Role role, bool attached) override;
  void TellThirdParties(const ChannelRef& channel, uint32_t count) override;
  void StopTelling() override { cache_.StopTelling(); }

 private:
  // A channel whose calls cannot go without a lease, and the time for which it is.
  struct MissingLease {
    ChannelKey key;
    absl::Time due_at;
  };
  // A batch on its way to etcd.
  struct SentBatch {
    SentBatch(const EtcdKeys* keys, bool alone, int restorings_so_far, absl::Duration now)
        : batch(keys, alone), restorings(restorings_so_far), at(now) {}

    EtcdBatch batch;
    std::shared_ptr<const etcdserverpb::TxnRequest> request;
    int64_t seen = 0;      // etcd's newest revision, as far as was known when it was sent
    const int restorings;  // of etcd, as many as were known when the batch was made
    const absl::Duration at;
  };

  EtcdStore(EtcdOptions options, std::unique_ptr<EtcdApi> etcd, SteadyClock steady_now);

  // The start.
  bool OnRead(const absl::Status& status) WORMHOLE_EXCLUDES(mutex_);
  // Ends it, if there is nothing to wait for any more.
  void EndStart() WORMHOLE_EXCLUDES(mutex_);

  // Calls, on their way in.
  void Add(const ChannelKey& key, decltype(EtcdCall::what) what) WORMHOLE_EXCLUDES(mutex_);
  void Enqueue(const ChannelKey& key, decltype(EtcdCall::what) what) WORMHOLE_REQUIRES(mutex_);
  // As this relay sees it: what another relay has said of a side before the stream here attached
  // does not count.
  std::optional<ChannelSnapshot> SnapshotOf(const ChannelKey& key, const ChannelState& state)
      WORMHOLE_REQUIRES(mutex_);
  void OnOwnPresence(const ChannelRef& channel, Role role) WORMHOLE_EXCLUDES(mutex_);

  // The next batch.
  // Sends the next batch, or asks for a lease that it needs, unless something is under way.
  void Advance() WORMHOLE_EXCLUDES(mutex_);
  // Null when there is nothing to send, or a lease is `missing` for what is next.
  std::shared_ptr<SentBatch> MakeBatch(std::optional<MissingLease>& missing)
      WORMHOLE_REQUIRES(mutex_);
  TxnContext ContextNow() WORMHOLE_REQUIRES(mutex_);
  void AddCalls(EtcdBatch& batch, std::optional<MissingLease>& missing) WORMHOLE_REQUIRES(mutex_);
  void FailOverdue(absl::Duration now, EtcdAnswers& answers) WORMHOLE_REQUIRES(mutex_);
  bool MayGoNow(const ChannelKey& key, const EtcdCalls& calls) WORMHOLE_REQUIRES(mutex_);
  // While etcd is full, what writes and what reads go by themselves, and writes more seldom.
  bool MayJoin(const EtcdBatch& batch, bool writes) const WORMHOLE_REQUIRES(mutex_);
  void AddOthers(EtcdBatch& batch) WORMHOLE_REQUIRES(mutex_);
  void AddSides(EtcdBatch& batch) WORMHOLE_REQUIRES(mutex_);
  void AddNotices(EtcdBatch& batch) WORMHOLE_REQUIRES(mutex_);
  void AddPresence(EtcdBatch& batch) WORMHOLE_REQUIRES(mutex_);
  void AddClock(EtcdBatch& batch) WORMHOLE_REQUIRES(mutex_);

  // What becomes of it.
  void OnBatch(const std::shared_ptr<SentBatch>& sent,
               const absl::StatusOr<etcdserverpb::TxnResponse>& response) WORMHOLE_EXCLUDES(mutex_);
  void Finish(SentBatch& sent, const etcdserverpb::TxnResponse& response, EtcdAnswers& answers)
      WORMHOLE_REQUIRES(mutex_);
  void FinishCalls(ChannelTxn& txn, const etcdserverpb::TxnResponse& response, int64_t revision,
                   EtcdAnswers& answers) WORMHOLE_REQUIRES(mutex_);
  void FinishPresence(PresenceUpdate& update, const etcdserverpb::TxnResponse& response,
                      int64_t revision) WORMHOLE_REQUIRES(mutex_);
  void FinishSide(SideCall& call, const etcdserverpb::RangeResponse& range, EtcdAnswers& answers)
      WORMHOLE_REQUIRES(mutex_);
  // The transaction's record, which was written at `revision`, has brought sides along.
  void NoteAttached(const ChannelTxn& txn, int64_t revision) WORMHOLE_REQUIRES(mutex_);
  // Nothing is known of what has become of the batch: its calls are made again.
  void Undo(EtcdBatch& batch, const absl::Status& why, EtcdAnswers& answers)
      WORMHOLE_REQUIRES(mutex_);
  void Failed(const absl::Status& why) WORMHOLE_REQUIRES(mutex_);
  // Gives the answers, and lets what is next begin.
  void GiveAnswers(EtcdAnswers answers) WORMHOLE_EXCLUDES(mutex_);
  void ProbeSoon() WORMHOLE_EXCLUDES(mutex_);

  // Leases.
  EtcdLeases::Now Now();
  void GrantLease(const MissingLease& missing) WORMHOLE_EXCLUDES(mutex_);
  // Asks for the lease of what this relay tells the others, if it has none. Nothing waits for it
  // but that.
  void AskForPresenceLease() WORMHOLE_EXCLUDES(mutex_);
  void RenewPresenceLease(absl::Duration now) WORMHOLE_EXCLUDES(mutex_);
  void OnRenewal(int64_t lease, const absl::Status& status) WORMHOLE_EXCLUDES(mutex_);
  void LosePresenceLease() WORMHOLE_REQUIRES(mutex_);
  // etcd was restored from an older copy.
  void ForgetLeases() WORMHOLE_EXCLUDES(mutex_);

  const EtcdOptions options_;
  const EtcdKeys keys_;
  const std::unique_ptr<EtcdApi> etcd_;
  const SteadyClock steady_now_;
  EtcdCache cache_;
  ClockSync clocks_;
  EtcdWatcher watcher_;

  sync::Mutex mutex_;
  EtcdStart start_ WORMHOLE_GUARDED_BY(mutex_);
  bool busy_ WORMHOLE_GUARDED_BY(mutex_) = false;  // a batch or a lease is under way
  WaitingCalls calls_ WORMHOLE_GUARDED_BY(mutex_);
  EtcdAnswers answers_ WORMHOLE_GUARDED_BY(mutex_);                       // that need no etcd
  absl::Time rested_ WORMHOLE_GUARDED_BY(mutex_) = absl::InfinitePast();  // see TxnContext
  EtcdPresence presence_ WORMHOLE_GUARDED_BY(mutex_);  // of the sides that are attached here
  ThirdPartyNotices notices_ WORMHOLE_GUARDED_BY(mutex_);
  EtcdLeases leases_ WORMHOLE_GUARDED_BY(mutex_);
  PresenceLease presence_lease_ WORMHOLE_GUARDED_BY(mutex_);
  EtcdAvailability availability_ WORMHOLE_GUARDED_BY(mutex_);
  // So many batches are to have one thing each: etcd has refused one that had as many, and what it
  // refuses by itself is nobody else's loss.
  size_t alone_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  int restorings_ WORMHOLE_GUARDED_BY(mutex_) = 0;  // of etcd, as far as is known
  bool stopping_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_ETCD_STORE_H_
