// Why no relay was reached, in our words: one line that first says what to do. Pure.
//
// The messages of gRPC, c-ares and OpenSSL help people who debug those: the status has them as its
// details (DetailsOf, wormhole/outcome.h).
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
  kForbiddenSocket,  // no permission to use it
  kNoDescriptors,    // this process has too many files open
  kNoMemory,         // the system gives this process no more
  // From a proxy.
  kProxyAway,
  kProxyWantsPassword,
  kProxyForbids,
  kProxyFailed,
  // From the server that answered.
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
  bool only_route = true;  // to the relay; false: the next try takes another one
};

// Whether waiting does not help. A certificate that is not valid yet becomes so; mostly this
// machine's clock is wrong, and the network sets it in a moment. An expired certificate needs
// somebody to act. A name that does not exist may be one of a network that this machine is about to
// join.
bool IsPermanent(TroubleKind kind);

// The trouble that gRPC's message shows by itself. Nothing when a server answered, since a probe
// then finds out more, and when the message is not gRPC's: a server before the relay says
// "Connection refused", too, of a connection of its own.
std::optional<Trouble> ReadTrouble(std::string_view grpc_message, const TroubleScene& scene);

// Reason kUnreachable, FAILED_PRECONDITION when neither waiting nor another address helps, else
// UNAVAILABLE; for want of memory, which is no relay's doing, kInternal and RESOURCE_EXHAUSTED.
// With `details`, foreign text.
absl::Status TroubleStatus(const Trouble& trouble, const TroubleScene& scene,
                           std::string_view details);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_TROUBLE_H_
