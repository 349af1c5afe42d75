// For whom a proxy has connected. gRPC knows a connection by the address of its other end, which is
// the proxy's.
#ifndef WORMHOLE_RELAY_ACCEPT_CLIENT_NAMES_H_
#define WORMHOLE_RELAY_ACCEPT_CLIENT_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Thread-safe. It has an entry for each open connection from a proxy. A proxy that connects from
// one port to two addresses of this host at once has one name for both clients.
class ClientNames {
 public:
  // The connection with this cookie, from `peer`, is for `client`; both as gRPC writes them
  // (see peer_name.h).
  void Set(const std::string& peer, uint64_t cookie, std::string client);
  // It has closed. A later connection from the same peer keeps its name.
  void Forget(const std::string& peer, uint64_t cookie);

  // `peer` connects for itself now.
  void Forget(const std::string& peer);

  // `peer` itself, when no proxy has named another.
  std::string Of(const std::string& peer) const;

  size_t count() const;

 private:
  struct Name {
    uint64_t cookie;
    std::string client;
  };

  mutable sync::Mutex mutex_;
  absl::flat_hash_map<std::string, Name> names_ WORMHOLE_GUARDED_BY(mutex_);  // by peer
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ACCEPT_CLIENT_NAMES_H_
