// What an operator can set: values with their defaults and the reasons for these. No rules.
#ifndef WORMHOLE_RELAY_CONFIG_CONFIG_H_
#define WORMHOLE_RELAY_CONFIG_CONFIG_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "relay/channel/rules.h"

namespace wormhole::relay {

// How to reach etcd, for StoreChoice::Kind::kEtcd.
struct EtcdChoice {
  // HOST:PORT or [IPV6]:PORT, at least one; of the same cluster.
  std::vector<std::string> endpoints;

  // PEM files. The authorities that sign etcd's certificates; empty: plaintext.
  std::string tls_ca;
  // The certificate that the relay shows etcd, and its key; both or none.
  std::string tls_cert;
  std::string tls_key;

  // Files with the user's name and password, both or none; a line end behind either does not count.
  // Only files, because every user of the host can read a command line.
  std::string user_file;
  std::string password_file;

  // Begins each key, so that others may use the same cluster. Ends with '/'.
  std::string prefix = "wormhole/";

  bool tls() const { return !tls_ca.empty(); }
};

// Where channels are kept.
struct StoreChoice {
  enum class Kind { kMemory, kSqlite, kEtcd };
  Kind kind = Kind::kSqlite;
  // For kSqlite: the file, which the relay makes when it is missing. The default store survives a
  // restart, as `Posted` promises.
  std::string path = "wormhole-relay.sqlite3";
  EtcdChoice etcd;
};

struct TlsFiles {
  // PEM. Both or none; none is plaintext, for a proxy in front or a loopback address.
  std::string cert;
  std::string key;
  // PEM; when set, clients must show a certificate that these authorities signed.
  std::string client_ca;

  bool enabled() const { return !cert.empty(); }
};

struct LogChoice {
  enum class Format { kText, kJson };
  enum class Level { kDebug, kInfo, kWarn, kError };
  Format format = Format::kText;
  Level level = Level::kInfo;
  // The log shows whole addresses of clients instead of their networks.
  bool addresses = false;
};

struct RelayConfig {
  // All addresses, since a relay serves other hosts. Port 0 lets the kernel pick.
  std::string listen = "[::]:47180";
  StoreChoice store;
  TlsFiles tls;

  // ttl_default, ttl_max, quarantine, and the limits that clients are told.
  ChannelLimits limits;
  // Common proxies cut a stream that is silent for 60 s; this leaves room for two lost beats.
  absl::Duration heartbeat = absl::Seconds(20);
  std::string motd;
  // Streams that wait for days move within the hour to a relay that was added. Each move costs the
  // client about a second.
  absl::Duration max_stream_age = absl::Hours(1);

  // On: the schema is public, and a relay that is hard to explore is no safer.
  bool reflection = true;

  // ADDRESS:PORT, or empty for none. Inspection, health, reflection; with admin_channelz also
  // channelz, which shows the addresses of clients. Loopback, because everybody who reaches the
  // port sees which channels exist.
  std::string admin_listen = "127.0.0.1:47181";
  bool admin_channelz = false;
  // Plaintext health and nothing else, for Kubernetes' own probes.
  std::string probe_listen;
  // Prometheus' text format over HTTP.
  std::string metrics_listen;
  // App-ids that get a label of their own; each adds some twenty series.
  std::vector<std::string> metrics_apps;

  LogChoice log;
  // Off: a core holds tokens and sealed frames.
  bool core_dumps = false;

  // Less than load balancers and Kubernetes (30 s) allow for a whole stop.
  absl::Duration drain_timeout = absl::Seconds(10);
  // The part of drain_timeout in which the relay only reports that it is unhealthy. Zero suits
  // clients that know several addresses and leave by themselves; behind a load balancer, set two
  // intervals of its checks.
  absl::Duration drain_delay = absl::ZeroDuration();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_CONFIG_H_
