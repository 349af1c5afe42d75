// What a live channel does one at a time: everything that looks at or changes the membership.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_OP_H_
#define WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_OP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {

struct Tenure;

// Why a channel could not be created under an id, where another id may do.
enum class CreateRefusal {
  kIdInUse,        // of a drawn id: draw again
  kSideElsewhere,  // the side has a channel already, under the id that comes with it
};

struct CreateTerms {
  bool named = false;  // the id was asked for by name
  absl::Duration ttl;
  // Of a drawn id: the store is not expected to know it.
  bool believed_free = false;
  // Of a drawn id: it rests, and its ended channel may be replaced.
  bool may_replace = false;
  // Called without locks. All other refusals end the stream.
  std::function<void(CreateRefusal, uint32_t other_id)> refused;
};

struct ChannelOp {
  enum class Kind {
    kCreate,
    kClaim,
    kClaimOrWait,
    kResume,
    kReturn,  // an allocation that was made before: kResume for the initiator alone
    kClose,
    kDue,
    kAdmitWaiters,  // a channel that another relay has made takes in who waits for it here
  };

  Kind kind = Kind::kResume;
  // Of all but kDue and kAdmitWaiters. With kClose it may be over, which changes nothing.
  std::shared_ptr<StreamAttachment> stream;
  std::string side;
  uint64_t cursor = 0;  // of the open; with kClose, what is stored along as accepted
  CreateTerms create;
  // kCreate, kAdmitWaiters: the waiter that the record being stored makes its receiver.
  std::string chosen;
  // kClose.
  std::shared_ptr<Tenure> tenure;  // of the channel that the side leaves
  Role role = Role::kInitiator;
  Mood mood = rendezvous::v1::MOOD_UNSPECIFIED;
  // kDue: let go when the channel has been seen to.
  std::shared_ptr<void> batch;

  // kClaim, kClaimOrWait: judged by what happens to be known as long as it comes to a change, which
  // the store refuses when something else has changed. Whatever else it comes to needs a load.
  bool optimistic = false;
  uint64_t needs_load = 0;  // of the live channel: what it is judged by; 0: any
  int attempts = 0;         // how often the store knew better
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_CHANNEL_OP_H_
