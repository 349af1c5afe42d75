// A look at who answers where a relay should be, after gRPC's connection there came to nothing.
//
// gRPC checks certificates and is not replaced in that: it says no, and this finds out why. Nothing
// of an exchange is sent, only the first bytes of HTTP/2.
#ifndef WORMHOLE_CLIENT_STREAM_PROBE_H_
#define WORMHOLE_CLIENT_STREAM_PROBE_H_

#include <chrono>
#include <optional>

#include "client/stream/trouble.h"
#include "wormhole/security.h"

namespace wormhole {

struct ProbeTarget {
  TroubleScene scene;
  Security security = Security::kTls;  // not kAuto
  Tls tls;
  std::chrono::steady_clock::time_point deadline;
};

// Connects to each address in turn, through the proxy if there is one, and looks what it does with
// TLS or the first bytes of HTTP/2. Nothing when one of them seems well, or none answers: then
// there is nothing to tell. With several that answer, what is wrong with the first; a trouble that
// is not permanent goes before one that is, and one that is has `others` when an address does not
// answer. Blocks until the deadline at the longest.
std::optional<Trouble> Probe(const ProbeTarget& target);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_PROBE_H_
