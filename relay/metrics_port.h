// The port that Prometheus scrapes: GET /metrics over HTTP, in plaintext.
//
// Not prometheus-cpp's own exposer: Debian's is built without IPv6, a handful of clients that say
// nothing hold it up, and it may take two seconds to stop.
#ifndef WORMHOLE_RELAY_METRICS_PORT_H_
#define WORMHOLE_RELAY_METRICS_PORT_H_

#include <poll.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "prometheus/collectable.h"
#include "relay/http_exchange.h"
#include "relay/listeners.h"

namespace wormhole::relay {

// One thread, which collects too. Clients that are slow or say nothing hold up nobody: each has ten
// seconds, and when there are too many of them the oldest is cut off.
class MetricsPort {
 public:
  using Collectables = std::vector<std::shared_ptr<prometheus::Collectable>>;

  // Serves from the moment that this returns, on every address that `listen` (HOST:PORT,
  // [IPV6]:PORT) stands for; [::] is IPv4 too. Port 0 lets the kernel pick. UNAVAILABLE, with one
  // line that names the flag, when the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsPort>> Start(const std::string& listen,
                                                            Collectables collectables);

  // Cuts off what is under way. Nothing is collected any more when it returns.
  ~MetricsPort();

  MetricsPort(const MetricsPort&) = delete;
  MetricsPort& operator=(const MetricsPort&) = delete;

  // ADDRESS:PORT, the port being the one that was bound.
  const std::string& address() const { return listeners_.address(); }

 private:
  using Clock = std::chrono::steady_clock;

  explicit MetricsPort(Collectables collectables);
  void Loop();
  // Waits until there is something to do.
  std::vector<pollfd> Await() const;
  void AcceptAll();
  // False when there is no more to accept now.
  bool Accept(int listener);
  std::string WritePage() const;

  const Collectables collectables_;
  Listeners listeners_;
  const int stop_;  // an eventfd

  // The thread's.
  std::deque<std::unique_ptr<HttpExchange>> exchanges_;  // oldest first
  Clock::time_point accept_at_;  // not before: the process has had no descriptor left
  std::thread thread_;           // last: it uses the others
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_METRICS_PORT_H_
