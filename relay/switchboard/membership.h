// Who belongs to the channel that has an id now, who of them is attached, and who waits for the id.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_MEMBERSHIP_H_
#define WORMHOLE_RELAY_SWITCHBOARD_MEMBERSHIP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "relay/channel/record.h"
#include "relay/switchboard/bound_channel.h"
#include "relay/switchboard/channel_context.h"
#include "relay/switchboard/live_member.h"
#include "relay/switchboard/locked_effects.h"
#include "relay/switchboard/observer.h"
#include "relay/switchboard/stream_attachment.h"
#include "relay/switchboard/tenure.h"
#include "relay/switchboard/waiters.h"

namespace wormhole::relay {

// Who is attached and waits here, for inspection.
struct Occupancy {
  PerRole<bool> here;
  PerRole<bool> attached;  // here, or at another relay as far as this one knows
  size_t waiting = 0;
};

// A stream on its way to a member's place.
struct ArrivingStream {
  std::shared_ptr<StreamAttachment> stream;
  uint64_t cursor = 0;
  // The record that made the side a member has told the other relays that it is attached.
  bool published = false;
  // The stream's next request has been asked for already.
  bool reads = false;
};

// A part of LiveChannel, guarded by its lock. Of the store it calls only what answers at once or
// not at all.
class Membership {
 public:
  using Stream = std::shared_ptr<StreamAttachment>;

  // Both outlive this object.
  Membership(ChannelContext* context, const ChannelKey* key);

  // Of the channel that has the id now. What is asked on behalf of this channel holds on to its
  // tenure: answers about an earlier one are told apart by it.
  const std::shared_ptr<Tenure>& tenure() const { return tenure_; }
  ChannelSnapshot& snapshot() const { return tenure_->snapshot; }
  const ChannelRecord& record() const { return tenure_->snapshot.record; }
  LiveMember& member(Role role) const { return tenure_->members[role]; }
  bool exists() const { return record().version != 0; }
  ChannelRef ref() const;
  // Whether `side` is a member, present or not.
  bool HasMember(const std::string& side) const;
  std::optional<Role> RoleOf(const Stream& stream) const;
  rendezvous::v1::Presence PresenceOf(Role role) const;
  Occupancy occupancy() const;
  // Whether the channel is one that waiters wait for.
  bool AcceptsWaiters() const;

  // --- Attachment. ---

  // Binds the stream to `channel`, puts it in the member's place, and tells it so. False when the
  // stream is over.
  bool Attach(Role role, const ArrivingStream& arrival,
              const std::shared_ptr<BoundChannel>& channel, LockedEffects& effects);
  void Detach(Role role, LockedEffects& effects);
  // Ends the stream, wherever it is, and drops what it has asked for and the store has not got.
  void Fail(Role role, const Stream& stream, absl::Status status, LockedEffects& effects);
  // Whether a stream of this side is attached at another relay. `superseded`: it is, or was, and
  // one that is here is older, and ends.
  void SetRemote(Role role, bool remote, bool superseded, LockedEffects& effects);
  // Every change of presence is followed by it. True when both sides are attached, anew after a
  // time in which neither was. The relay that the later one came to tells its observer.
  bool PairsAnew();
  // Tells the other relays whether a stream of this side is attached here.
  void PublishPresence(Role role, bool attached, LockedEffects& effects);

  // --- The record. ---

  // Adopts a snapshot that the store had.
  void Adopt(ChannelSnapshot loaded, LockedEffects& effects);
  // Adopts `told`, which says nothing of where streams are.
  void AdoptWithoutPresence(ChannelSnapshot told, LockedEffects& effects);
  // Adopts a newer record of this channel, if the store has one without a load. Only while
  // LoadTracker::current().
  bool AdoptCached(LockedEffects& effects);
  // Adopts what was read back together with a change that the store has just made: it is as new as
  // a load would be. False when it is not there.
  bool AdoptReadBack(LockedEffects& effects);
  // A record that does not go on with the channel that is known here, or has lost a member of it,
  // or that has ended, begins a tenure.
  void SetRecord(ChannelRecord next, LockedEffects& effects);
  // Everything of the channel so far is over; its streams end with `status`. `record` has the id
  // now.
  void BeginTenure(ChannelRecord record, const absl::Status& status, LockedEffects& effects);
  // The author's log, by any answer of the store. Answers may come in any order, but a log only
  // grows: the state that is behind in nothing is the later one.
  void UpdateLog(Role author, const LogState& log);

  // --- Waiters. ---

  Waiters& waiters() { return waiters_; }
  const Waiters& waiters() const { return waiters_; }
  // Lets a stream wait for the id, in place of an earlier one of its side.
  void AddWaiter(Waiter waiter, const std::shared_ptr<BoundChannel>& channel,
                 LockedEffects& effects);
  void DismissWaiter(const std::string& side, const absl::Status& status, LockedEffects& effects);
  // Chooses the first waiter that may join `initiator`. Returns its side; empty: there is none.
  std::string ChooseWaiter(const std::string& initiator, LockedEffects& effects);
  // The operation that may have chosen a waiter is over, or tries again. If the waiter is still
  // here and has asked to close meanwhile, it goes.
  void ForgetChosenWaiter(LockedEffects& effects);

  // --- Who is told. ---

  // Tells the members here of claims that were refused; Report also tells the other relays.
  void CountThirdParties(uint32_t count);
  void ReportThirdParties(uint32_t count, LockedEffects& effects);
  // Tells the observer once the lock is given back.
  void Tell(ChannelEvent::Kind kind, LockedEffects& effects) const;

  // --- The id. ---

  // The store has answered a change of the record: what is known of the id is no assumption.
  void NoteStored() { store_answered_ = true; }
  // Tells what is known of the id.
  void ReportId() const;
  // The same after the creation of a channel has failed. While the store has said nothing
  // of the id, an id that was drawn goes back to where it was drawn from: `rested` or free.
  void ReleaseId(bool drawn, bool spent) const;

 private:
  ChannelContext* const context_;
  const ChannelKey* const key_;
  std::shared_ptr<Tenure> tenure_;
  Waiters waiters_;
  // The store has said what it has of this id. Until then an empty record is an assumption.
  bool store_answered_ = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_MEMBERSHIP_H_
