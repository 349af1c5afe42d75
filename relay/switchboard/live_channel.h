// What is in memory of a channel that somebody is attached to, waits for, or is changing.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNEL_H_
#define WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNEL_H_

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/sync/mutex.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/channel_op.h"
#include "relay/switchboard/locked_effects.h"
#include "relay/switchboard/registry.h"
#include "relay/switchboard/tenure.h"

namespace wormhole::relay {

// One per channel id that is in use here, and all that concerns the id goes through it in turn:
// allocation, claims, waiters, posts, expiry. It may see several channels come and go, each with a
// Tenure of its own; only what is of the id, and of no channel, is kept beside that. It begins by
// loading the channel, keeps the snapshot current from the store's answers, and loads it again when
// it may be stale. An error of the store, or idleness, retires it; whoever comes next gets a new
// one.
//
// The logs in the store are the truth. A reader's stream is pumped from there whenever the store
// has more than the stream has been sent; handing a new frame to the reader at once, before it is
// committed, is a shortcut that is taken when the stream is up to date.
//
// Over a store that other relays share, the snapshot is a belief that their news keep fresh: what
// they tell is taken over as far as that is safe, and otherwise the channel is loaded again. A
// client that opens a stream is answered from a load that was made after it came.
//
// Threads: everything from any thread. Locks: mutex_ comes before the registry's and the streams',
// which are leaves. Sinks are flushed after it is given back (LockedEffects).
//
// Files: live_channel.cc has the requests and the life, live_channel_logs.cc posts,
// acknowledgements and delivery, live_channel_ops.cc the operations on the membership,
// live_channel_beliefs.cc what is done before a look, live_channel_seats.cc who sits here,
// live_channel_waiters.cc who waits, live_channel_news.cc what other relays do.
class LiveChannel : public std::enable_shared_from_this<LiveChannel> {
 public:
  LiveChannel(std::shared_ptr<Registry> registry, ChannelKey key);

  const ChannelKey& key() const { return key_; }

  // Takes `op` over. False, with `op` untouched, when the channel is retired.
  bool Submit(ChannelOp& op);

  // Requests of a stream that is bound to this channel; ignored when it no longer is.
  void Post(const std::shared_ptr<StreamAttachment>& stream, uint64_t number, std::string frame);
  void Ack(const std::shared_ptr<StreamAttachment>& stream, uint64_t number);
  // The stream's last request: no other is asked for.
  void Close(const std::shared_ptr<StreamAttachment>& stream, Mood mood);
  void Drained(const std::shared_ptr<StreamAttachment>& stream);
  void Detach(const std::shared_ptr<StreamAttachment>& stream);

  // Ends all streams with STORE_AWAY, and retires: whoever comes next begins with what the store
  // has.
  void Shutdown();

  // Who sits and waits here, for inspection.
  struct Occupancy {
    PerRole<bool> here;
    PerRole<bool> attached;  // here, or elsewhere as far as is known
    size_t waiting = 0;
  };
  Occupancy occupancy() WORMHOLE_EXCLUDES(mutex_);

  // What other relays over the same store do: see StoreListener.
  void OnChanged(const ChannelSnapshot* now);
  void OnLog(const ChannelRef& channel, Role author, const LogState& log, const StoredFrame* frame);
  void OnPresence(const ChannelRef& channel, Role role, bool remote);
  void OnThirdParties(const ChannelRef& channel, uint32_t count);

 private:
  using Stream = std::shared_ptr<StreamAttachment>;

  struct Waiter {
    Stream stream;
    std::string side;
    uint64_t cursor = 0;
    // It has asked to close while an allocation was about to make it the receiver.
    std::optional<Mood> close;
  };

  ChannelSnapshot& snapshot() const WORMHOLE_REQUIRES(mutex_) { return tenure_->snapshot; }
  const ChannelRecord& record() const WORMHOLE_REQUIRES(mutex_) { return snapshot().record; }
  Seat& seat(Role role) const WORMHOLE_REQUIRES(mutex_) { return tenure_->seat(role); }
  Work& work(Role role) const WORMHOLE_REQUIRES(mutex_) { return tenure_->work(role); }

  // live_channel.cc
  ChannelRef ThisChannel() const WORMHOLE_REQUIRES(mutex_);
  std::optional<Role> RoleOf(const Stream& stream) WORMHOLE_REQUIRES(mutex_);
  // For a request that only a member may make.
  void RefuseWaiter(const Stream& stream, std::string_view field, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  // Does whatever can be done now. Every change of state is followed by it.
  void Advance(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  Store& CallStore(LockedEffects& effects) { return effects.Call(registry_->store()); }
  // The membership is known, if perhaps not the newest, and not being changed. What is done on it
  // is stored on the condition that it is the newest.
  bool Settled() const WORMHOLE_REQUIRES(mutex_) { return known_ && !committing_; }
  bool CanRunFirstOp() const WORMHOLE_REQUIRES(mutex_);
  bool QueueCloses() WORMHOLE_REQUIRES(mutex_);
  bool Idle() const WORMHOLE_REQUIRES(mutex_);
  // What is known may be no longer true: another load is needed. Returns its number.
  uint64_t RequireReload() WORMHOLE_REQUIRES(mutex_);
  void LoadIfNeeded(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void OnLoaded(absl::StatusOr<std::optional<ChannelSnapshot>> loaded);
  void Adopt(ChannelSnapshot loaded, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // The store has failed: nothing here is certain any more.
  void FailStore(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void Retire() WORMHOLE_REQUIRES(mutex_);

  // live_channel_logs.cc
  void ForwardNow(Role author, uint64_t number, const std::string& frame, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  absl::Status Judge(Role author, size_t queued_before, uint64_t number, size_t bytes)
      WORMHOLE_REQUIRES(mutex_);
  void AppendHeld(Role author, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void OnAppended(const std::shared_ptr<Tenure>& tenure, Role author, uint64_t serial,
                  const absl::StatusOr<AppendResult>& result);
  void AnswerPost(Role author, const QueuedPost& post) WORMHOLE_REQUIRES(mutex_);
  // Whether an author may post more before the store has answered. Always so for a client that
  // keeps the window; also bounds posts up to the reader's cursor, which no window does.
  bool TakesPosts(Role author) const WORMHOLE_REQUIRES(mutex_);
  void RaiseCursor(Role reader, uint64_t cursor, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void AcceptIfBehind(Role reader, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void OnAccepted(const std::shared_ptr<Tenure>& tenure, Role reader,
                  const absl::StatusOr<LogState>& log);
  void UpdateLog(Role author, const LogState& log) WORMHOLE_REQUIRES(mutex_);
  void Deliver(Role reader, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void ReadFromStore(Role reader, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void OnRead(const std::shared_ptr<Tenure>& tenure, Role reader, const Stream& stream,
              absl::StatusOr<std::vector<StoredFrame>> frames);

  // live_channel_ops.cc
  void RunFirstOp(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void RunCreate(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void RunClaim(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void RunResume(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void RunClose(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void RunDue(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void RunAdmitWaiters(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void RefuseCreate(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void Commit(ChannelRecord next, const PutOptions& options, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  void OnCommitted(ChannelRecord next, const absl::StatusOr<PutOutcome>& outcome);
  void FinishOp(ChannelRecord next, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void FinishCreate(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void FinishClose(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void OnSideTaken(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void OnSideFound(const absl::StatusOr<std::optional<uint32_t>>& id);
  // The claim's side belongs to the channel with this id, as far as the store knows.
  void OnClaimantFound(ChannelOp& op, std::optional<uint32_t> id, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  // Once more after a load, but not for ever.
  void TryAgain(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void Refuse(ChannelOp& op, absl::Status status, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void PopOp() WORMHOLE_REQUIRES(mutex_);
  // Tells the observer once the lock is given back.
  void Tell(ChannelEvent::Kind kind, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);

  // live_channel_beliefs.cc
  // Whether the op can be judged before a load.
  bool MayRunOptimistically(const ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // Takes over a newer record of this channel, if the store has one at hand.
  bool AdoptCached(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void RunOptimisticClaim(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // False when the claim has to be judged once more, after a load.
  bool FinishClaim(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // Takes over what came with the look of a guess; false when it is not at hand.
  bool AdoptReadBack(LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);

  // live_channel_seats.cc
  // Attaches the stream and tells it so. `announced`: the record has brought the side along.
  void AttachMember(Role role, const Stream& stream, uint64_t cursor, bool announced,
                    LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  void DetachMember(Role role, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // Every change of presence is followed by it. True when both sides are attached, anew after a
  // time in which neither was; the relay that the later one came to tells so.
  bool PairsAnew() WORMHOLE_REQUIRES(mutex_);
  // Ends the stream, wherever it is, and drops what it has asked for and the store has not got.
  void Fail(Role role, const Stream& stream, absl::Status status, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  rendezvous::v1::Presence PresenceOf(Role role) const WORMHOLE_REQUIRES(mutex_);
  // Takes the record over. One that does not go on with the channel that is known here, or says
  // that it has ended, begins a tenure.
  void SetRecord(ChannelRecord next, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // Everything of the channel so far is over; its streams end with this. `record` has the id now.
  void BeginTenure(ChannelRecord record, const absl::Status& status, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  // Tells the registry what is known of the id.
  void ReportId() WORMHOLE_REQUIRES(mutex_);
  // The same when `op`, a creation, has come to nothing: an id of which nothing is known is again
  // what it was before it was drawn.
  void ReleaseId(const ChannelOp& op) WORMHOLE_REQUIRES(mutex_);

  // live_channel_waiters.cc
  // Whether the channel is one that waiters wait for.
  bool Joinable() const WORMHOLE_REQUIRES(mutex_);
  // Another relay has made the channel that they wait for.
  void QueueWaiters() WORMHOLE_REQUIRES(mutex_);
  void AddWaiter(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  std::vector<Waiter>::iterator FindWaiter(const Stream& stream) WORMHOLE_REQUIRES(mutex_);
  void DismissWaiter(const std::string& side, absl::Status status, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  // The side of the first waiter that may join `initiator`; empty when there is none.
  std::string ChooseWaiter(const std::string& initiator, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  // The one that was chosen has not become a member; if it has asked to close meanwhile, it goes.
  void ForgetChosen(ChannelOp& op, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // `announced`: the record has brought the chosen one along.
  void AdmitWaiters(const std::string& chosen, bool announced, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);

  // live_channel_news.cc
  // Whether a stream of this side is attached at another relay. `superseded`: it is, or was, and
  // one that is here is older, and ends.
  void SetRemote(Role role, bool remote, bool superseded, LockedEffects& effects)
      WORMHOLE_REQUIRES(mutex_);
  // Of where streams are, `heard` says nothing: that is told by OnPresence, or by a load.
  void KeepPresence(ChannelSnapshot& heard) WORMHOLE_REQUIRES(mutex_);
  // Tells the other relays whether a stream of this side is attached here.
  void PublishPresence(Role role, bool attached, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);
  // Tells the members here.
  void CountThirdParties(uint32_t count) WORMHOLE_REQUIRES(mutex_);
  // Tells the members here and elsewhere.
  void ReportThirdParties(uint32_t count, LockedEffects& effects) WORMHOLE_REQUIRES(mutex_);

  const std::shared_ptr<Registry> registry_;
  const ChannelKey key_;

  sync::Mutex mutex_;
  // The record is what the store had at some time, or is believed to have.
  bool known_ WORMHOLE_GUARDED_BY(mutex_) = false;
  // Loads have numbers, from 1, and one is made at a time. An op waits for one that was begun after
  // the op came; so however many come, each load serves all that came before it.
  bool loading_ WORMHOLE_GUARDED_BY(mutex_) = false;
  uint64_t loads_begun_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  uint64_t loads_done_ WORMHOLE_GUARDED_BY(mutex_) = 0;  // the last one that was taken over
  uint64_t needed_load_ WORMHOLE_GUARDED_BY(mutex_) = 1;
  // The last load that may be older than what was stored here since.
  uint64_t stale_loads_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool retired_ WORMHOLE_GUARDED_BY(mutex_) = false;
  // The store has said what it has of this id. Until then an empty record is at most a belief.
  bool store_answered_ WORMHOLE_GUARDED_BY(mutex_) = false;
  // Of the channel that has the id now. Answers about an earlier one are ignored.
  std::shared_ptr<Tenure> tenure_ WORMHOLE_GUARDED_BY(mutex_);
  std::vector<Waiter> waiters_ WORMHOLE_GUARDED_BY(mutex_);  // in order of arrival

  std::list<ChannelOp> ops_ WORMHOLE_GUARDED_BY(mutex_);
  // The first op is with the store. Posts are held back meanwhile: the version may change.
  bool committing_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_LIVE_CHANNEL_H_
