// What an operator can set: values with their defaults and the reasons for these. No rules.
#ifndef WORMHOLE_RELAY_CONFIG_CONFIG_H_
#define WORMHOLE_RELAY_CONFIG_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/net/address.h"
#include "relay/channel/id_rules.h"
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
  // Connections on the public port. With a side that waits on each they take 100 MB, or 230 MB when
  // the relay ends TLS.
  uint32_t max_connections = 2048;
  // A thousand people behind one address (a campus, a carrier's NAT), and a second connection of
  // every other one, whose first was lost and the relay does not know yet.
  uint32_t max_connections_per_address = 1500;
  // Who says in a PROXY header for whom it connects. Nobody: a header from elsewhere is no proof.
  std::vector<net::Network> proxy_from;
  // Who may allocate and claim (relay/admission/token_list.h). Empty: everybody, without a token.
  std::string tokens_file;
  // Of one address, in a minute and at once; a /48 of IPv6 twice as much; 0: no limit. A thousand
  // people behind one address do an exchange each, both its sides, and some come twice.
  uint32_t max_allocations_per_minute = 1500;
  uint32_t max_claims_per_minute = 1500;
  // After a restart of the relay all of them come back within seconds, and some again.
  uint32_t max_connections_per_minute = 3000;
  // What it may hold, once more within a minute. A stream that is refused costs the relay 70 us.
  uint32_t max_stream_opens_per_minute = 4000;
  // One of ten codes that a thousand people type is wrong.
  uint32_t max_failed_claims_per_minute = 100;
  // What its connections hold, of one address and of all; 0: no limit. A stream takes 20 KiB.
  uint32_t max_streams_per_address = 3000;
  uint32_t max_streams = 8192;
  // Active channels that one address has allocated; 0: no limit.
  uint32_t max_channels_per_address = 2000;
  // A bearer token has 43 letters; longer headers cost CPU before anyone has said who they are.
  uint32_t max_header_bytes = 16 << 10;
  // Of TCP, TLS and HTTP/2 together: ten round trips of a second.
  absl::Duration handshake_timeout = absl::Seconds(10);
  // A client sends Open with the stream's headers.
  absl::Duration open_timeout = absl::Seconds(10);
  // Longer than a lost radio link stands still, short against what a peer would wait.
  absl::Duration write_timeout = absl::Seconds(30);
  // Clients have streams, or go; a balancer's checks come more often.
  absl::Duration idle_timeout = absl::Seconds(60);
  // More than an address may have, so that a client with too many is told (BUSY): one process has
  // all its streams on one connection, and gRPC would hold those back that are too many.
  uint32_t max_streams_per_connection = 4096;
  // Resident. What the limits above let in by default stays below it.
  uint64_t max_memory = 256 << 20;
  // Active channels of all and of one app-id, over etcd those of all relays; 0: no limit.
  ChannelCaps channel_caps{.in_all = 20'000, .per_app = 10'000};
  MinDigits min_digits;
  // Of frames that nobody has accepted, of all channels; 0: no limit. A quarter of what the relay
  // may take in all (256 MiB), and enough for a thousand exchanges with the largest frames.
  uint32_t max_stored_bytes = 64 << 20;
  // Both sides of a channel; 0: no limit. Four of the largest frames, where an exchange has five
  // frames in all. It is the most that one channel adds to etcd's history, until that is compacted.
  uint32_t max_posted_bytes_per_second = 256 << 10;
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
