// What an operator can set.
#ifndef WORMHOLE_RELAY_CONFIG_CONFIG_H_
#define WORMHOLE_RELAY_CONFIG_CONFIG_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "relay/channel/rules.h"

namespace wormhole::relay {

// How to reach etcd, with StoreChoice::Kind::kEtcd.
struct EtcdChoice {
  // HOST:PORT or [IPV6]:PORT, at least one; of the same cluster.
  std::vector<std::string> endpoints;

  // PEM files. The authorities that sign etcd's certificates; empty: plaintext.
  std::string tls_ca;
  // What the relay shows etcd; both or none.
  std::string tls_cert;
  std::string tls_key;

  // Files with the user's name and password, both or none; a line end behind them does not count.
  // Only files: a command line is for everybody to read.
  std::string user_file;
  std::string password_file;

  // Before each key, so that others may use the same cluster. Ends with '/'.
  std::string prefix = "wormhole/";

  bool tls() const { return !tls_ca.empty(); }
};

// Where channels are kept.
struct StoreChoice {
  enum class Kind { kMemory, kSqlite, kEtcd };
  Kind kind = Kind::kSqlite;
  // With kSqlite: the file, made when it is missing. The default survives a restart, which is what
  // a relay that says `Posted` is for.
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
  // Whole addresses of clients, instead of their networks.
  bool addresses = false;
};

struct RelayConfig {
  // All addresses: a relay serves others. Port 0 lets the kernel pick.
  std::string listen = "[::]:47180";
  StoreChoice store;
  TlsFiles tls;

  // ttl_default, ttl_max, quarantine, and the limits that clients are told.
  ChannelLimits limits;
  // Below the 60 s after which common proxies cut a silent stream, with room for two lost beats.
  absl::Duration heartbeat = absl::Seconds(20);
  std::string motd;
  // So that a relay that was added gets its share of what waits for days within the hour. Clients
  // lose about a second of it.
  absl::Duration max_stream_age = absl::Hours(1);

  // The schema is public; a relay that is hard to explore is no safer.
  bool reflection = true;

  // ADDRESS:PORT, or empty: none. Inspection, health, reflection; and channelz, which shows the
  // addresses of clients. Loopback: whoever reaches it sees which channels there are.
  std::string admin_listen = "127.0.0.1:47181";
  bool admin_channelz = false;
  // Plaintext health and nothing else, for Kubernetes' own probes.
  std::string probe_listen;
  // Prometheus' text format over HTTP.
  std::string metrics_listen;
  // App-ids that get a label of their own: each is some twenty series.
  std::vector<std::string> metrics_apps;

  LogChoice log;
  // A core holds tokens and sealed frames.
  bool core_dumps = false;

  // What a load balancer and Kubernetes (30 s) allow in all.
  absl::Duration drain_timeout = absl::Seconds(10);
  // The part of it in which the relay only looks unhealthy. None: clients that know several
  // addresses leave by themselves. Behind a load balancer, two intervals of its checks.
  absl::Duration drain_delay = absl::ZeroDuration();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_CONFIG_H_
