// The port that Prometheus scrapes: GET /metrics over HTTP, in plaintext.
//
// GNU libmicrohttpd under it, not prometheus-cpp's own exposer: Debian's is built without IPv6, a
// handful of clients that say nothing hold it up, and it may take two seconds to stop.
#ifndef WORMHOLE_RELAY_SERVER_METRICS_PORT_H_
#define WORMHOLE_RELAY_SERVER_METRICS_PORT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "prometheus/collectable.h"
#include "relay/server/listeners.h"
#include "relay/server/ticker.h"

struct MHD_Daemon;

namespace wormhole::relay {

struct Scrapes;

// A thread for each address, which also collects, once for all who have connected by then. The port
// cuts off a client that says nothing, or does not read, for five seconds, and one whose request is
// not over after ten. When there are hundreds, the oldest gives way to the newest, so that a
// scrape, which takes milliseconds, is served whoever else holds connections. Who opens hundreds
// within those milliseconds can still keep it out: let nobody but Prometheus reach the port.
class MetricsPort {
 public:
  // Connections that are open at a time, at each address.
  static constexpr unsigned kMaxClients = 256;

  using Collectables = std::vector<std::shared_ptr<prometheus::Collectable>>;

  // Takes every address that `listen` (HOST:PORT, [IPV6]:PORT) stands for; [::] is IPv4 too. Port 0
  // lets the kernel pick. Apart from Start, since the relay takes the address before it has
  // anything to collect: a client that connects waits for Start, or until the listeners are
  // destroyed. UNAVAILABLE, with one line that names the flag, when the address cannot be listened
  // on.
  static absl::StatusOr<Listeners> Bind(const std::string& listen);

  // Serves on those addresses from the moment that this returns. UNAVAILABLE, with one line that
  // names the flag, when the system has no threads left.
  static absl::StatusOr<std::unique_ptr<MetricsPort>> Start(Listeners listeners,
                                                            Collectables collectables);

  // Cuts off what is under way. Once it returns, nobody calls the collectors any more.
  ~MetricsPort();

  MetricsPort(const MetricsPort&) = delete;
  MetricsPort& operator=(const MetricsPort&) = delete;

  // ADDRESS:PORT with the port that the kernel bound.
  const std::string& address() const { return address_; }

 private:
  explicit MetricsPort(Collectables collectables);

  const std::unique_ptr<Scrapes> scrapes_;
  std::string address_;
  std::vector<MHD_Daemon*> daemons_;  // one for each address
  std::optional<Ticker> ticker_;      // since there are any
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_METRICS_PORT_H_
