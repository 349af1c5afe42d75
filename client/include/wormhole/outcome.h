// How an exchange can end, as typed errors: an absl::Status with a message for people and a reason
// for programs, carried as the status's payload.
#ifndef WORMHOLE_OUTCOME_H_
#define WORMHOLE_OUTCOME_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "wormhole/abseil.h"

namespace wormhole {
inline namespace v0 {

// Why. The status code that goes with each is in the comment. Saved states hold the numbers, which
// never change; later versions may add reasons, so that a switch needs a default.
enum class Reason {
  kNone = 0,              // OK, or a status of somebody else; FAILED_PRECONDITION: too early for
                          // this call; DEADLINE_EXCEEDED: the `limit` of this call is over
  kInvalidArgument = 1,   // INVALID_ARGUMENT: what the caller gave; nothing was sent.
                          // FAILED_PRECONDITION: the handle was moved from, or the Client was
                          // shut down
  kWrongCode = 2,         // UNAUTHENTICATED: the two codes differ, or somebody guessed.
                          // FAILED_PRECONDITION: so ended what this saved state is of
  kTimeout = 3,           // DEADLINE_EXCEEDED: `timeout` is over
  kUnreachable = 4,       // no relay ever answered. DEADLINE_EXCEEDED: `timeout` is over;
                          // FAILED_PRECONDITION: waiting would not help, as with a bad certificate;
                          // UNAVAILABLE: Finish could not tell it
  kRefused = 5,           // the relay's code: it refused for a reason that no other entry names
  kCrowded = 6,           // ALREADY_EXISTS: two others have this channel
  kTaken = 7,             // ALREADY_EXISTS: the channel id that was asked for is in use
  kNoSuchCode = 8,        // NOT_FOUND: never allocated, closed or expired
  kPeerGaveUp = 9,        // CANCELLED: the peer timed out or was cancelled
  kAborted = 10,          // ABORTED: the peer failed, or says that a message was not genuine
  kCancelled = 11,        // CANCELLED: Cancel, or the verifier was refused, or the Client was shut
                          // down
  kStaleState = 12,       // FAILED_PRECONDITION: restored from a copy that is too old, or that a
                          // newer version of the library has written
  kInUseElsewhere = 13,   // ABORTED: another copy of this state is running
  kSaveFailed = 14,       // the hook's code: the save hook failed; the exchange stopped where it
                          // was
  kBlockingCall = 15,     // FAILED_PRECONDITION: a blocking call from a callback
  kInternal = 16,         // INTERNAL, RESOURCE_EXHAUSTED or FAILED_PRECONDITION: this machine or
                          // process lacks something that is needed
  kForged = 17,           // ABORTED: a message was not genuine, after the key was confirmed
  kNoCommonVersion = 18,  // FAILED_PRECONDITION: the two programs know no version of the
                          // protocol both
  kPeerUnfinished = 19,   // ABORTED: the peer has left as if it had finished, and has not
  kUnproven = 20,       // UNAUTHENTICATED: somebody could test the code with our answer, and never
                        // proved to know it: a guess
  kForked = 21,         // FAILED_PRECONDITION: the parent of this forked child uses the library
  kNotAuthorized = 22,  // the relay lets in those alone who have a bearer token for it.
                        // UNAUTHENTICATED: it is missing or wrong; PERMISSION_DENIED: it is for
                        // another app-id, or for the other side
};

// Its name in capitals, as in "WRONG_CODE" for kWrongCode; "NONE", and "UNKNOWN" for a number that
// is none of these. A status's text shows it. Never fails; any thread; lives as long as the
// library.
std::string_view ReasonName(Reason reason);

// The reason of a status that this library returned; kNone for an OK or a foreign status. Never
// fails; any thread.
Reason ReasonOf(const absl::Status& status);

// What a library below this one said in its own words (gRPC, for kUnreachable); empty: nothing.
// Foreign text, for logs and for people who look for a cause. Never fails; any thread.
std::string DetailsOf(const absl::Status& status);

}  // namespace v0
}  // namespace wormhole

#endif  // WORMHOLE_OUTCOME_H_
