// How an exchange can end, as typed errors: an absl::Status with a message for people and a reason
// for programs, carried as the status's payload.
#ifndef WORMHOLE_OUTCOME_H_
#define WORMHOLE_OUTCOME_H_

#include <string>

#include "absl/status/status.h"

namespace wormhole {

// The status code that goes with each is in the comment.
enum class Reason {
  kNone = 0,
  kInvalidArgument,  // INVALID_ARGUMENT: what the caller gave; nothing was sent
  kWrongCode,        // UNAUTHENTICATED: the two codes differ, or somebody guessed
  kTimeout,          // DEADLINE_EXCEEDED: `timeout` is over
  kUnreachable,      // no relay ever answered. DEADLINE_EXCEEDED: `timeout` is over;
                     // FAILED_PRECONDITION: waiting would not help, as with a bad certificate
  kRefused,          // the relay's code: it refused for a reason that no other entry names
  kCrowded,          // ALREADY_EXISTS: two others have this channel
  kTaken,            // ALREADY_EXISTS: the channel id that was asked for is in use
  kNoSuchCode,       // NOT_FOUND: never allocated, closed or expired
  kPeerGaveUp,       // CANCELLED: the peer timed out or was cancelled
  kAborted,          // ABORTED: the peer failed, or says that a message was not genuine
  kCancelled,        // CANCELLED: Cancel, or the verifier was refused
  kStaleState,       // FAILED_PRECONDITION: restored from a copy that is too old
  kInUseElsewhere,   // ABORTED: another copy of this state is running
  kSaveFailed,       // the hook's code: the save hook failed; the exchange stopped where it was
  kBlockingCall,     // FAILED_PRECONDITION: a blocking call from a callback
  kInternal,         // INTERNAL, RESOURCE_EXHAUSTED or FAILED_PRECONDITION: this machine or process
                     // lacks something that is needed
  // Saved states hold these numbers: new ones come last.
  kForged,           // ABORTED: a message was not genuine, after the key was confirmed
  kNoCommonVersion,  // FAILED_PRECONDITION: the two programs know no version of the protocol both
  kPeerUnfinished,   // ABORTED: the peer has left as if it had finished, and has not
  kUnproven,         // UNAUTHENTICATED: somebody could test the code with our answer, and never
                     // proved to know it: a guess
};
inline constexpr Reason kLastReason = Reason::kUnproven;

// The reason of a status that this library returned; kNone for an OK or a foreign status.
Reason ReasonOf(const absl::Status& status);

// What a library below this one said in its own words (gRPC, for kUnreachable); empty: nothing.
// Foreign text, for logs and for people who look for a cause.
std::string DetailsOf(const absl::Status& status);

}  // namespace wormhole

#endif  // WORMHOLE_OUTCOME_H_
