// The names of outcomes as PROTOCOL.md, section 10, has them, for the tests of its tables.
#ifndef WORMHOLE_CLIENT_CORE_TESTING_OUTCOME_NAMES_H_
#define WORMHOLE_CLIENT_CORE_TESTING_OUTCOME_NAMES_H_

#include <string_view>

#include "wormhole/outcome.h"

namespace wormhole::core {

// Empty for kNone and for what is no reason. Without a default: a new reason does not compile
// without its name, and its name not without its row.
inline std::string_view OutcomeName(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "";
    case Reason::kInvalidArgument:
      return "invalid argument";
    case Reason::kWrongCode:
      return "wrong code";
    case Reason::kUnproven:
      return "unproven";
    case Reason::kTimeout:
      return "timeout";
    case Reason::kUnreachable:
      return "unreachable";
    case Reason::kRefused:
      return "refused";
    case Reason::kCrowded:
      return "crowded";
    case Reason::kTaken:
      return "taken";
    case Reason::kNoSuchCode:
      return "no such code";
    case Reason::kPeerGaveUp:
      return "peer gave up";
    case Reason::kPeerUnfinished:
      return "peer unfinished";
    case Reason::kAborted:
      return "aborted";
    case Reason::kForged:
      return "forged";
    case Reason::kNoCommonVersion:
      return "no common version";
    case Reason::kCancelled:
      return "cancelled";
    case Reason::kStaleState:
      return "stale state";
    case Reason::kInUseElsewhere:
      return "in use elsewhere";
    case Reason::kSaveFailed:
      return "save failed";
    case Reason::kBlockingCall:
      return "blocking call";
    case Reason::kInternal:
      return "internal";
    case Reason::kNotAuthorized:
      return "not authorized";
    case Reason::kForked:
      return "forked";
  }
  return "";
}

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_TESTING_OUTCOME_NAMES_H_
