// Where etcd is, and how it is spoken to.
#ifndef WORMHOLE_RELAY_STORE_ETCD_SERVERS_H_
#define WORMHOLE_RELAY_STORE_ETCD_SERVERS_H_

#include <string>
#include <vector>

namespace wormhole::relay {

struct EtcdServers {
  std::vector<std::string> endpoints;  // HOST:PORT, at least one
  // PEM, not files. All empty: plaintext. Without a certificate of our own: server TLS alone.
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  // Empty: no authentication. gRPC takes the password as a std::string only.
  std::string user;
  std::string password;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_SERVERS_H_
