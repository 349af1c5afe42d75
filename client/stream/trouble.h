// Why no relay was reached, in our words: one line that first says what to do. Pure.
//
// The messages of gRPC, c-ares and OpenSSL help people who debug those: they go along as the
// status's details (DetailsOf, wormhole/outcome.h).
#ifndef WORMHOLE_CLIENT_STREAM_TROUBLE_H_
#define WORMHOLE_CLIENT_STREAM_TROUBLE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/stream/route.h"

namespace wormhole {

// Every way in which the first connection can fail after Transport::Check. What can go wrong
// before that is the table of tests/client/first_failures_test.cc.
enum class TroubleKind {
  // Before a byte was exchanged.
  kNoSuchName,
  kNameServersAway,
  kRefused,  // nobody listens
  kNoNetwork,
  kSilent,
  kNoSocket,         // no socket at a unix: path
  kForbiddenSocket,  // nor leave to use it
  kNoDescriptors,    // this process has too many files open
  kNoMemory,         // the system gives it no more
  // From a proxy.
  kProxyAway,
  kProxyWantsPassword,
  kProxyForbids,
  kProxyFailed,
  // From whoever answered.
  kSelfSigned,
  kUnknownAuthority,
  kExpired,
  kNotYetValid,
  kOtherName,
  kBadCertificate,  // for another reason
  kSpeaksPlaintext,
  kSpeaksTls,
  kWantsCertificate,
  kRefusesCertificate,
  kNoRelay,  // it speaks something else than gRPC
  kHungUp,   // and nothing tells why
};

struct Trouble {
  TroubleKind kind = TroubleKind::kHungUp;
  std::string what;  // a date, names or a number that go with the kind; printable ASCII
  // There is another address, which does not answer now and may do so later.
  bool others = false;
};

// Where it happened.
struct TroubleScene {
  std::string relay;  // as it was typed
  Route route;
  bool loopback = false;
  bool only_route = true;  // to the relay; else another one is next
};

// Whether waiting does not help. A certificate that is not valid yet becomes so, and mostly a clock
// is wrong that is set by the network in a moment; one that has expired needs somebody to act. A
// name that is not there may be one of a network that this machine is about to join.
bool IsPermanent(TroubleKind kind);

// What gRPC's words tell by themselves; nothing when somebody answered and a look is worth while,
// or when the words are not gRPC's: whatever stands before a relay says "Connection refused", too,
// and means somebody else.
std::optional<Trouble> ReadTrouble(std::string_view grpc_message, const TroubleScene& scene);

// Reason kUnreachable, FAILED_PRECONDITION when neither waiting nor another address helps, else
// UNAVAILABLE; for want of memory, which is no relay's doing, kInternal and RESOURCE_EXHAUSTED.
// With `details`, foreign text.
absl::Status TroubleStatus(const Trouble& trouble, const TroubleScene& scene,
                           std::string_view details);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_TROUBLE_H_
