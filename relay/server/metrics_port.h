// The port that Prometheus scrapes: GET /metrics over HTTP, in plaintext.
//
// GNU libmicrohttpd under it, not prometheus-cpp's own exposer: Debian's is built without IPv6, a
// handful of clients that say nothing hold it up, and it may take two seconds to stop.
#ifndef WORMHOLE_RELAY_SERVER_METRICS_PORT_H_
#define WORMHOLE_RELAY_SERVER_METRICS_PORT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "prometheus/collectable.h"
#include "relay/server/listeners.h"

struct MHD_Daemon;

namespace wormhole::relay {

// A thread for each address, which collects too. A client that says nothing, or does not read, for
// five seconds is cut off; there may be 256 of them before others wait that long. One that means
// ill can keep a connection busy for longer: let nobody but Prometheus reach the port.
class MetricsPort {
 public:
  using Collectables = std::vector<std::shared_ptr<prometheus::Collectable>>;

  // Takes every address that `listen` (HOST:PORT, [IPV6]:PORT) stands for; [::] is IPv4 too. Port 0
  // lets the kernel pick. Apart from Start, since an address can be taken before there is anything
  // to collect: whoever connects waits for Start, or is cut off when the listeners are destroyed.
  // UNAVAILABLE, with one line that names the flag, when the address cannot be listened on.
  static absl::StatusOr<Listeners> Bind(const std::string& listen);

  // Serves from the moment that this returns, on what Bind has taken. UNAVAILABLE, with one line
  // that names the flag, when there are no threads to be had.
  static absl::StatusOr<std::unique_ptr<MetricsPort>> Start(Listeners listeners,
                                                            Collectables collectables);

  // Cuts off what is under way. Nothing is collected any more when it returns.
  ~MetricsPort();

  MetricsPort(const MetricsPort&) = delete;
  MetricsPort& operator=(const MetricsPort&) = delete;

  // ADDRESS:PORT, the port being the one that was bound.
  const std::string& address() const { return address_; }

  // All that is there, in Prometheus' text format. Any thread.
  std::string WritePage() const;

 private:
  explicit MetricsPort(Collectables collectables) : collectables_(std::move(collectables)) {}

  const Collectables collectables_;
  std::string address_;
  std::vector<MHD_Daemon*> daemons_;  // one for each address
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_METRICS_PORT_H_
