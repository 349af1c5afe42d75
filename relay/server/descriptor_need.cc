#include "relay/server/descriptor_need.h"

#include <string>

#include "relay/server/metrics_port.h"
#include "relay/server/operator_limits.h"

namespace wormhole::relay {
namespace {

// Listeners, epoll's and the accept loops' of each port, standard ones, files of certificates and
// tokens; of the store SQLite's four or connections to etcd. A relay that serves nobody has some
// forty.
constexpr uint64_t kOwn = 64;

// As many again may be on their way out.
uint64_t OfOperators(const std::string& listen) {
  return listen.empty() ? 0 : uint64_t{2 * kOperatorConnections};
}

}  // namespace

uint64_t DescriptorsNeeded(const RelayConfig& config) {
  const uint64_t metrics = config.metrics_listen.empty() ? 0 : uint64_t{MetricsPort::kMaxClients};
  return kOwn + config.max_connections + metrics + OfOperators(config.admin_listen) +
         OfOperators(config.probe_listen);
}

}  // namespace wormhole::relay
