// A store in etcd, shared by all relays that use the same prefix. An acknowledged write is in the
// logs of a majority of etcd's members.
//
// Calls wait in a queue per channel. One batch at a time goes to etcd, of all that waits; the next
// one follows when it is answered (plan.h). Where sides are attached waits in no queue
// (presence.h), and takes its place in a batch behind the calls. What other relays do comes by a
// watch (follower.h), and is known here by a view (view.h). Frames go to the log and come from the
// watch; a watch that is late or lost costs time, never a frame.
//
// While etcd is away everything waits, up to a limit; then calls fail, and clients are sent to
// another relay, which may have an etcd.
#ifndef WORMHOLE_RELAY_STORE_ETCD_ETCD_STORE_H_
#define WORMHOLE_RELAY_STORE_ETCD_ETCD_STORE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "etcd_rpc.pb.h"
#include "proto/sync/mutex.h"
#include "relay/clock/clock.h"
#include "relay/store/etcd/call.h"
#include "relay/store/etcd/client.h"
#include "relay/store/etcd/clocks.h"
#include "relay/store/etcd/etcd_cache.h"
#include "relay/store/etcd/keys.h"
#include "relay/store/etcd/leases.h"
#include "relay/store/etcd/plan.h"
#include "relay/store/etcd/presence.h"
#include "relay/store/etcd/watcher.h"
#include "relay/store/store.h"
#include "relay/store/trouble_report.h"

namespace wormhole::relay {

struct EtcdOptions {
  EtcdServers servers;

  // Under which all keys are. Relays that share channels share it.
  std::string prefix = "wormhole/";

  // Names this process among the relays: drawn at random, 16 bytes.
  std::string relay_id;

  // What this relay goes by, never null: it is brought into step with the other relays'. Outlives
  // the store.
  RelayClock* clock = nullptr;

  // How long a call waits for an etcd that is away, and how long the creation of a channel does:
  // long enough for the election of a leader, short enough that a client is soon at another relay.
  absl::Duration patience = absl::Seconds(5);
  absl::Duration creation_patience = absl::Seconds(1);

  // After so long without a word this relay's sides count as detached at the others, and its clock
  // as one that joins.
  absl::Duration presence_ttl = absl::Seconds(10);

  // As SqliteOptions::on_trouble.
  std::function<void(const absl::Status& status)> on_trouble = nullptr;

  // etcd was restored from an older copy; what this relay knew of it is let go.
  std::function<void()> on_restored = nullptr;

  // Told of each batch of calls that etcd has carried out: how long its answer took, and how many
  // calls were in it. On a thread of gRPC's.
  std::function<void(absl::Duration took, size_t operations)> on_commit = nullptr;
};

class EtcdStore final : public Store {
 public:
  // Reads which channels there are. UNAVAILABLE when etcd cannot be reached, PERMISSION_DENIED and
  // so on as etcd says it; one line.
  static absl::StatusOr<std::unique_ptr<EtcdStore>> Open(EtcdOptions options);
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
  struct SideCall {
    std::string key;
    Done<std::optional<uint32_t>> done;
    absl::Duration since;
  };
  // What is said of where a channel's sides are attached.
  struct Saying {
    std::unique_ptr<ChannelTxn> part;
    EtcdCalls calls;
  };
  // A channel whose calls cannot go without a lease, and the time for which it is.
  struct MissingLease {
    ChannelKey key;
    absl::Time due_at;
  };
  // What was said of this relay's clock, and under which lease.
  struct ClockSaid {
    absl::Duration at;
    int64_t lease = 0;
    absl::Duration offset;
  };
  // What goes to etcd at once; of a look, nothing but the request.
  struct Batch {
    etcdserverpb::TxnRequest request;
    bool writes = false;
    int restorings = 0;  // as they were when it was made
    std::vector<std::unique_ptr<ChannelTxn>> parts;
    std::vector<SideCall> sides;
    std::vector<Saying> sayings;  // behind them in the request
    std::vector<std::pair<ChannelKey, EtcdNotice>> third_parties;
    std::optional<ClockSaid> clock;  // last in the request
    absl::Duration sent_at;

    size_t things() const {
      return parts.size() + sides.size() + sayings.size() + third_parties.size() + (clock ? 1 : 0);
    }
  };

  explicit EtcdStore(EtcdOptions options);
  absl::Status Connect();

  // store.cc
  void Add(const ChannelKey& key, decltype(EtcdCall::what) what) WORMHOLE_EXCLUDES(mutex_);
  void Enqueue(const ChannelKey& key, decltype(EtcdCall::what) what) WORMHOLE_REQUIRES(mutex_);
  void FailAll(const absl::Status& status, EtcdAnswers& answers) WORMHOLE_REQUIRES(mutex_);
  // As it is here: a word of another relay that is older than the stream here does not count.
  std::optional<ChannelSnapshot> SnapshotOf(const ChannelKey& key, const ChannelState& state)
      WORMHOLE_REQUIRES(mutex_);
  void OnOwnPresence(const ChannelRef& channel, Role role) WORMHOLE_EXCLUDES(mutex_);

  // batches.cc
  // Sends the next batch, or asks for a lease that it needs, unless something is under way.
  void Advance() WORMHOLE_EXCLUDES(mutex_);
  std::unique_ptr<Batch> MakeBatch(std::optional<MissingLease>& missing) WORMHOLE_REQUIRES(mutex_);
  TxnContext ContextNow() WORMHOLE_REQUIRES(mutex_);
  bool HasTurn(const ChannelKey& key, const EtcdCalls& calls) WORMHOLE_REQUIRES(mutex_);
  void AddParts(Batch& batch, std::optional<MissingLease>& missing) WORMHOLE_REQUIRES(mutex_);
  void AddOthers(Batch& batch) WORMHOLE_REQUIRES(mutex_);
  void AddSayings(Batch& batch) WORMHOLE_REQUIRES(mutex_);
  void AddSides(Batch& batch) WORMHOLE_REQUIRES(mutex_);
  void AddNotices(Batch& batch) WORMHOLE_REQUIRES(mutex_);
  // While etcd is full, what writes and what reads go by themselves, and writes more seldom.
  bool MayJoin(const Batch& batch, bool writes) const WORMHOLE_REQUIRES(mutex_);
  // How many things go into the batch beside its parts.
  int Room(const Batch& batch) const WORMHOLE_REQUIRES(mutex_);

  // batch_answers.cc
  void OnBatch(const std::shared_ptr<Batch>& batch,
               const absl::StatusOr<etcdserverpb::TxnResponse>& response) WORMHOLE_EXCLUDES(mutex_);
  void Finish(Batch& batch, const etcdserverpb::TxnResponse& response, EtcdAnswers& answers)
      WORMHOLE_REQUIRES(mutex_);
  void FinishPart(ChannelTxn& part, const etcdserverpb::TxnResponse& response, int64_t revision,
                  EtcdAnswers& answers) WORMHOLE_REQUIRES(mutex_);
  void FinishSaying(Saying& saying, const etcdserverpb::TxnResponse& response, int64_t revision)
      WORMHOLE_REQUIRES(mutex_);
  // Its record, which was written at `revision`, has brought sides along.
  void NoteAttached(const ChannelTxn& part, int64_t revision) WORMHOLE_REQUIRES(mutex_);
  // The channel is with etcd no more.
  void Requeue(const ChannelKey& key, bool first = false) WORMHOLE_REQUIRES(mutex_);
  // Nothing is known of what has become of the batch: its calls are made again.
  void Undo(Batch& batch, const absl::Status& why, EtcdAnswers& answers) WORMHOLE_REQUIRES(mutex_);
  // Gives the answers, and lets what is next begin.
  void GiveAnswers(EtcdAnswers answers) WORMHOLE_EXCLUDES(mutex_);

  // clock_news.cc
  // Until the relay's time is sure: see GroupClocks::on_loan.
  void AwaitClocks() WORMHOLE_EXCLUDES(mutex_);
  void TakeClocks(const std::vector<ClockSighting>& all, bool restored) WORMHOLE_EXCLUDES(mutex_);
  void TakeClock(const ClockSighting& one) WORMHOLE_EXCLUDES(mutex_);
  void Follow(absl::Duration by) WORMHOLE_REQUIRES(mutex_);
  // Behind all else, if it is time for it.
  void AddClock(Batch& batch) WORMHOLE_REQUIRES(mutex_);

  // away.cc
  // After an answer to something that `wrote`, or to reads alone.
  void Worked(bool wrote) WORMHOLE_REQUIRES(mutex_);
  void Failed(const absl::Status& why) WORMHOLE_REQUIRES(mutex_);
  // Something that is no batch had no answer: one is sent that shows whether etcd is there.
  void ProbeSoon() WORMHOLE_EXCLUDES(mutex_);
  // To a batch that has nothing else, while etcd is away or may be.
  void AddLook(Batch& batch) WORMHOLE_REQUIRES(mutex_);
  // Of a channel that would hold up the others.
  void FailChannel(const ChannelKey& key, const absl::Status& why, EtcdAnswers& answers)
      WORMHOLE_REQUIRES(mutex_);
  // While etcd is away: fails what has waited long enough.
  void FailOverdue(absl::Duration now, EtcdAnswers& answers) WORMHOLE_REQUIRES(mutex_);

  // grants.cc
  EtcdLeases::Now Now();
  void GrantLease(const MissingLease& missing) WORMHOLE_EXCLUDES(mutex_);
  // Asks for the lease of what is said to other relays, of this relay's clock at least. Nothing
  // else waits for it.
  void WantPresenceLease() WORMHOLE_EXCLUDES(mutex_);
  // Renews what this relay's sides are attached under.
  void KeepPresence(absl::Duration now) WORMHOLE_EXCLUDES(mutex_);
  void OnRenewal(int64_t lease, absl::Duration asked_at, const absl::Status& status)
      WORMHOLE_EXCLUDES(mutex_);
  void LosePresence() WORMHOLE_REQUIRES(mutex_);
  // etcd was restored from an older copy.
  void ForgetLeases() WORMHOLE_EXCLUDES(mutex_);

  const EtcdOptions options_;
  const EtcdKeys keys_;
  EtcdClient client_;
  EtcdCache cache_;
  EtcdWatcher watcher_;

  sync::Mutex mutex_;
  bool busy_ WORMHOLE_GUARDED_BY(mutex_) = false;  // a batch or a lease is under way
  // In the order in which channels are served; one whose calls are not through goes to the end.
  std::deque<ChannelKey> order_ WORMHOLE_GUARDED_BY(mutex_);
  std::unordered_map<ChannelKey, EtcdCalls, absl::Hash<ChannelKey>> calls_
      WORMHOLE_GUARDED_BY(mutex_);
  // How many calls at the front of a channel's queue are with etcd.
  absl::flat_hash_map<ChannelKey, size_t> in_flight_ WORMHOLE_GUARDED_BY(mutex_);
  std::deque<SideCall> side_calls_ WORMHOLE_GUARDED_BY(mutex_);
  absl::flat_hash_map<ChannelKey, EtcdNotice> third_parties_ WORMHOLE_GUARDED_BY(mutex_);
  // So many batches are to have one thing each: etcd has refused one that had as many, and what it
  // refuses by itself is nobody else's loss.
  size_t alone_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  // Channels whose calls went while third_parties_ had something to say of them.
  std::set<ChannelKey> passed_over_ WORMHOLE_GUARDED_BY(mutex_);
  EtcdAnswers answers_ WORMHOLE_GUARDED_BY(mutex_);                       // that need no etcd
  absl::Time rested_ WORMHOLE_GUARDED_BY(mutex_) = absl::InfinitePast();  // see TxnContext
  EtcdLeases leases_ WORMHOLE_GUARDED_BY(mutex_);
  int64_t presence_lease_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool asking_for_presence_ WORMHOLE_GUARDED_BY(mutex_) = false;
  absl::Duration presence_asked_at_ WORMHOLE_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  bool renewing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  absl::Duration renewed_at_ WORMHOLE_GUARDED_BY(mutex_);
  absl::Duration renewal_tried_at_ WORMHOLE_GUARDED_BY(mutex_);
  GroupClocks clocks_ WORMHOLE_GUARDED_BY(mutex_);
  sync::CondVar clocks_heard_;
  std::optional<ClockSaid> clock_said_ WORMHOLE_GUARDED_BY(mutex_);
  EtcdPresence presence_ WORMHOLE_GUARDED_BY(mutex_);  // of the sides that are attached here
  TroubleReport report_ WORMHOLE_GUARDED_BY(mutex_);
  int failures_ WORMHOLE_GUARDED_BY(mutex_) = 0;         // in a row
  bool full_ WORMHOLE_GUARDED_BY(mutex_) = false;        // etcd takes no writes
  int restorings_ WORMHOLE_GUARDED_BY(mutex_) = 0;       // of etcd, as far as is known
  bool probe_soon_ WORMHOLE_GUARDED_BY(mutex_) = false;  // see Doubt
  absl::Duration try_at_ WORMHOLE_GUARDED_BY(mutex_);
  absl::Duration write_at_ WORMHOLE_GUARDED_BY(mutex_);  // while etcd is full
  absl::Duration overdue_looked_at_ WORMHOLE_GUARDED_BY(mutex_);
  bool stopping_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_ETCD_STORE_H_
