// Finds out who answers where a relay should be, after gRPC could not connect there.
//
// gRPC alone decides whether a certificate is good: it says no, and this finds out why. A probe
// sends nothing of an exchange, only the first bytes of HTTP/2.
#ifndef WORMHOLE_CLIENT_STREAM_PROBE_H_
#define WORMHOLE_CLIENT_STREAM_PROBE_H_

#include <chrono>
#include <memory>
#include <optional>

#include "client/stream/trouble.h"
#include "proto/sync/threads.h"
#include "wormhole/security.h"

namespace wormhole {

struct ProbeTarget {
  TroubleScene scene;
  Security security = Security::kTls;  // not kAuto
  Tls tls;
  std::chrono::steady_clock::time_point deadline;
  // A look-up of a name outlasts the deadline on one of these, for half a minute if need be.
  std::shared_ptr<sync::Threads> threads = std::make_shared<sync::Threads>();
};

// Connects to each address in turn, through the proxy if there is one, and tries TLS or the first
// bytes of HTTP/2 there. Returns nothing when an address seems well, or when none answers. When
// several answer, returns the trouble with the first; but a trouble that may pass goes before a
// permanent one, and a permanent one has `others` when some address does not answer. Blocks until
// the deadline at the longest.
std::optional<Trouble> Probe(const ProbeTarget& target);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_PROBE_H_
