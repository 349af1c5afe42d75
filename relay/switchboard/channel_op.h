// The operations on a channel's membership: each judges the record, asks the store for a change,
// and tells the streams what has become of it.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_OP_H_
#define WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_OP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/bound_channel.h"
#include "relay/switchboard/channel_context.h"
#include "relay/switchboard/delivery.h"
#include "relay/switchboard/load_tracker.h"
#include "relay/switchboard/locked_effects.h"
#include "relay/switchboard/membership.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {

struct ChannelOp;

// What an operation works on: the parts of one live channel, under its lock.
struct OpScope {
  const ChannelKey& key;
  ChannelContext& context;
  Membership& members;
  Delivery& delivery;
  LoadTracker& loads;
  const std::shared_ptr<BoundChannel> channel;  // to bind streams to
  ChannelOp& op;
  LockedEffects& effects;

  // Puts a stream in a member's place.
  void Attach(Role role, const ArrivingStream& arrival);
};

// What an operation asks for next.
struct OpDone {};   // nothing: it is through, and the next one may run
struct OpAgain {};  // to be run again, when the load that it needs is there
struct OpPut {      // that the store puts this record in the place of the version that it names
  ChannelRecord next;
  PutOptions options;
};
struct OpErase {  // that the store forgets the channel
  uint64_t version = 0;
};
struct OpFindSide {  // to which channel this side belongs
  std::string side;
};
using OpStep = std::variant<OpDone, OpAgain, OpPut, OpErase, OpFindSide>;

// The stream that an operation is for.
struct Opener {
  std::shared_ptr<StreamAttachment> stream;
  std::string side;
  uint64_t cursor = 0;
};

// Why a channel could not be created under an id, where another id may do.
enum class CreateRefusal {
  kIdInUse,        // of a drawn id: draw again
  kSideElsewhere,  // the side has a channel already, under the id that comes with it
};

struct CreateOp {
  Opener opener;
  absl::Duration ttl;
  bool named = false;  // the client has asked for this id, else it was drawn
  // Of a drawn id: the store is not expected to know it.
  bool believed_free = false;
  // Of a drawn id: it is spent, and its ended channel may be replaced.
  bool may_replace = false;
  // Called without locks. All other refusals end the stream.
  std::function<void(CreateRefusal, uint32_t other_id)> refused;

  OpStep Run(OpScope& scope);
  OpStep OnPut(OpScope& scope, ChannelRecord next);
  OpStep OnSideFound(OpScope& scope, std::optional<uint32_t> id);
};

struct ClaimOp {
  Opener opener;
  bool waits = false;  // for the channel, when there is none yet
  // Runs on what a shared store happens to have cached, and spares a load. If that leads to a
  // change, the store checks it: the change goes by the record's version. Any other outcome needs a
  // load.
  bool optimistic = false;

  OpStep Run(OpScope& scope);
  OpStep OnPut(OpScope& scope, ChannelRecord next);
  OpStep OnSideFound(OpScope& scope, std::optional<uint32_t> id);
  // Adopts what the store has cached if nothing is known. Whether there is something to run on.
  static bool AssumeCached(OpScope& scope);

 private:
  OpStep RunOptimistically(OpScope& scope);
};

struct ResumeOp {
  Opener opener;
  bool allocates = false;  // an allocation that was made before: for the initiator alone

  OpStep Run(OpScope& scope);
};

struct CloseOp {
  std::shared_ptr<StreamAttachment> stream;  // may be over, which changes nothing
  std::string side;
  std::shared_ptr<Tenure> tenure;  // of the channel that the side leaves
  Role role = Role::kInitiator;
  Mood mood = rendezvous::v1::MOOD_UNSPECIFIED;
  uint64_t accepted = 0;  // of the peer's log, stored along with the record

  OpStep Run(OpScope& scope);
  OpStep OnPut(OpScope& scope, ChannelRecord next);

 private:
  void EndStream(OpScope& scope);
};

// Expires the channel or forgets it, if it is time for that.
struct DueOp {
  std::shared_ptr<void> batch;  // let go when the channel has been seen to
  bool erasing = false;         // the store was asked to forget it, and has not answered

  OpStep Run(OpScope& scope);
  OpStep OnPut(OpScope& scope, ChannelRecord next);
};

// Lets those who wait here into a channel that another relay has made.
struct AdmitWaitersOp {
  OpStep Run(OpScope& scope);
  OpStep OnPut(OpScope& scope, ChannelRecord next);
};

// Runs one at a time in a live channel, first come, first served. The store's answer decides.
struct ChannelOp {
  std::variant<CreateOp, ClaimOp, ResumeOp, CloseOp, DueOp, AdmitWaitersOp> what;
  // The load that it goes by (LoadTracker); 0: any.
  uint64_t needs_load = 0;
  int attempts = 0;  // how often the store knew better

  // Null: it is for no stream.
  std::shared_ptr<StreamAttachment> stream() const;

  // The channel has taken it: sets what it goes by, a load or what is known without one.
  void Prepare(OpScope& scope);
  OpStep Run(OpScope& scope);
  // The store has put the record, or has forgotten the channel: then `next` is empty.
  OpStep OnPut(OpScope& scope, ChannelRecord next);
  // The store has another version of the record.
  OpStep OnStale(OpScope& scope);
  // A side that is new in the record belongs to another channel.
  OpStep OnSideTaken(OpScope& scope);
  // The answer to OpFindSide.
  OpStep OnSideFound(OpScope& scope, std::optional<uint32_t> id);
  // The store has failed: STORE_AWAY ends the stream. The operation is not run again.
  void Abandon(OpScope& scope);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_OP_H_
