#include "relay/config/flag_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/wire/limits.h"
#include "relay/config/flag_values.h"

namespace wormhole::relay {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

// Stores a value that was read, or says why it was not.
template <typename T>
absl::Status Take(absl::StatusOr<T> value, T& place) {
  if (!value.ok()) return value.status();
  place = *std::move(value);
  return absl::OkStatus();
}

absl::Status TakePath(std::string_view text, std::string& place) {
  if (text.empty()) return absl::InvalidArgumentError("should be the path of a file");
  place = std::string(text);
  return absl::OkStatus();
}

// 0s means no limit.
absl::StatusOr<absl::Duration> ReadAge(std::string_view text) {
  absl::StatusOr<absl::Duration> age = ReadDuration(text, absl::ZeroDuration(), kDay * 366);
  if (!age.ok() || *age >= absl::Seconds(1)) return age;
  if (*age == absl::ZeroDuration()) return absl::InfiniteDuration();
  return absl::InvalidArgumentError("should be 0s, or 1s to 366d");
}

std::string WriteAge(absl::Duration age) {
  return WriteDuration(age == absl::InfiniteDuration() ? absl::ZeroDuration() : age);
}

std::string WriteListenOrOff(const std::string& address) {
  return address.empty() ? "off" : address;
}

std::string WriteBool(bool value) { return value ? "true" : "false"; }

// A longer window would not make an exchange faster, only a channel dearer.
constexpr uint32_t kMaxWindowFrames = 4096;
constexpr uint32_t kMaxWindowBytes = 64 << 20;

constexpr FlagGroup kGroups[] = {
    {"Serving", "What clients connect to, how long they stay, and how the relay stops."},
    {"Watching", "What operators see. Never codes, tokens or frames."},
    {"Channels", "Where they are kept and how long they live."},
    {"etcd", "How to reach it, with --store=etcd:HOST:PORT."},
    {"Limits", "What one channel may cost. Clients are told."},
};

constexpr Flag kFlags[] = {
    {"listen", "ADDRESS:PORT|unix:PATH", "Serving",
     "Where clients connect, port 0 to 65535. Port 0 lets the system pick one; it is printed as "
     "`listening on ADDRESS:PORT` once the relay serves, which is when it has its store. unix:PATH "
     "is a socket for its owner and "
     "group (0660) on this machine; one that a dead relay has left is replaced.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadListen(text), c.listen); },
     [](const RelayConfig& c) { return c.listen; }},
    {"tls-cert", "FILE", "Serving",
     "PEM file of the certificate chain. With --tls-key it turns TLS on; without both, the relay "
     "speaks plaintext. Read again when it changes.",
     [](std::string_view text, RelayConfig& c) { return TakePath(text, c.tls.cert); },
     [](const RelayConfig& c) { return c.tls.cert; }},
    {"tls-key", "FILE", "Serving", "PEM file of the certificate's private key, without a password.",
     [](std::string_view text, RelayConfig& c) { return TakePath(text, c.tls.key); },
     [](const RelayConfig& c) { return c.tls.key; }},
    {"tls-client-ca", "FILE", "Serving",
     "PEM file of authorities. When set, only clients with a certificate from one of them are "
     "served.",
     [](std::string_view text, RelayConfig& c) { return TakePath(text, c.tls.client_ca); },
     [](const RelayConfig& c) { return c.tls.client_ca; }},
    {"reflection", "", "Serving",
     "Answer gRPC server reflection there, so that grpcurl works without the .proto files.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadBool(text), c.reflection); },
     [](const RelayConfig& c) { return WriteBool(c.reflection); }},
    {"motd", "TEXT", "Serving",
     "A message of the day, told to every client; at most 1000 bytes of UTF-8, of control "
     "characters "
     "only line feeds.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadMotd(text), c.motd); },
     [](const RelayConfig& c) { return c.motd; }},
    {"heartbeat", "TIME", "Serving",
     "How often clients are told to send a heartbeat, 100ms to 10m. A stream is lost after two and "
     "a half of them without a word. Keep it below the idle limit of every proxy on the way.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, wire::kMinHeartbeat, absl::Minutes(10)), c.heartbeat);
     },
     [](const RelayConfig& c) { return WriteDuration(c.heartbeat); }},
    {"max-stream-age", "TIME", "Serving",
     "How old a stream may get before its client is told to come back on a new one, give or take a "
     "tenth, 1s to 366d; 0s: as old as it likes. Exchanges go on.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadAge(text), c.max_stream_age); },
     [](const RelayConfig& c) { return WriteAge(c.max_stream_age); }},
    {"drain-timeout", "TIME", "Serving",
     "How long SIGTERM waits for streams to end before it cuts them, 0s to 1h, --drain-delay "
     "included.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::ZeroDuration(), absl::Hours(1)), c.drain_timeout);
     },
     [](const RelayConfig& c) { return WriteDuration(c.drain_timeout); }},
    {"drain-delay", "TIME", "Serving",
     "How long the relay goes on after SIGTERM while its health says NOT_SERVING, before it sends "
     "its clients away, 0s to 1h. Two intervals of the load balancer's checks, if there is one.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::ZeroDuration(), absl::Hours(1)), c.drain_delay);
     },
     [](const RelayConfig& c) { return WriteDuration(c.drain_delay); }},
    {"admin-listen", "ADDRESS:PORT|off", "Watching",
     "Where operators look inside: InspectionService, health and reflection, in plaintext. Whoever "
     "reaches it sees which channels there are.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadListenOrOff(text), c.admin_listen);
     },
     [](const RelayConfig& c) { return WriteListenOrOff(c.admin_listen); }},
    {"admin-channelz", "", "Watching",
     "Answer gRPC channelz there too, which shows the addresses of clients.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadBool(text), c.admin_channelz); },
     [](const RelayConfig& c) { return WriteBool(c.admin_channelz); }},
    {"probe-listen", "ADDRESS:PORT|off", "Watching",
     "Where Kubernetes probes: plaintext health and nothing else, services liveness (never looks "
     "at "
     "the store) and readiness (does).",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadListenOrOff(text), c.probe_listen);
     },
     [](const RelayConfig& c) { return WriteListenOrOff(c.probe_listen); }},
    {"metrics-listen", "ADDRESS:PORT|off", "Watching",
     "Where Prometheus scrapes: /metrics over HTTP, in plaintext.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadListenOrOff(text), c.metrics_listen);
     },
     [](const RelayConfig& c) { return WriteListenOrOff(c.metrics_listen); }},
    {"metrics-apps", "APP-ID[,APP-ID...]", "Watching",
     "App-ids that metrics tell apart, 1 to 100; all others are counted together, so that no "
     "client can make series. Needs --metrics-listen.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadApps(text), c.metrics_apps); },
     [](const RelayConfig& c) -> std::string { return absl::StrJoin(c.metrics_apps, ","); }},
    {"log-format", "text|json", "Watching", "How the log on standard error is written.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadLogFormat(text), c.log.format); },
     [](const RelayConfig& c) { return WriteLogFormat(c.log.format); }},
    {"log-level", "debug|info|warn|error", "Watching",
     "The lowest level that is logged. With info, one line for each stream at its end.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadLogLevel(text), c.log.level); },
     [](const RelayConfig& c) { return WriteLogLevel(c.log.level); }},
    {"log-addresses", "", "Watching",
     "Log the whole addresses of clients; otherwise their networks, /24 or /48.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadBool(text), c.log.addresses); },
     [](const RelayConfig& c) { return WriteBool(c.log.addresses); }},
    {"core-dumps", "", "Watching",
     "Let the system write a core file, which holds tokens and sealed frames, should the relay "
     "crash; and let debuggers attach.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadBool(text), c.core_dumps); },
     [](const RelayConfig& c) { return WriteBool(c.core_dumps); }},
    {"store", "memory|sqlite:FILE|etcd:HOST:PORT[,HOST:PORT...]", "Channels",
     "Where channels are kept. With memory, a restart forgets them all. A file is for one relay; "
     "relays with the same etcd serve as one.",
     [](std::string_view text, RelayConfig& c) { return ReadStore(text, c.store); },
     [](const RelayConfig& c) { return WriteStore(c.store); }},
    {"channel-ttl-default", "TIME", "Channels",
     "How long a channel lives when the client does not ask for a time, 1s to 366d.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::Seconds(1), kDay * 366), c.limits.ttl_default);
     },
     [](const RelayConfig& c) { return WriteDuration(c.limits.ttl_default); }},
    {"channel-ttl-max", "TIME", "Channels",
     "The longest life that a client can ask for, 1s to 366d; more is cut to it.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::Seconds(1), kDay * 366), c.limits.ttl_max);
     },
     [](const RelayConfig& c) { return WriteDuration(c.limits.ttl_max); }},
    {"quarantine", "TIME", "Channels",
     "How long an ended channel's number rests before it is drawn again, and how long late-comers "
     "are told why it ended, 0s to 7d.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::ZeroDuration(), kDay * 7), c.limits.quarantine);
     },
     [](const RelayConfig& c) { return WriteDuration(c.limits.quarantine); }},
    {"etcd-tls-ca", "FILE", "etcd",
     "PEM file of the authorities that sign etcd's certificates. It turns TLS to etcd on; without "
     "it, everything goes there in the clear.",
     [](std::string_view text, RelayConfig& c) { return TakePath(text, c.store.etcd.tls_ca); },
     [](const RelayConfig& c) { return c.store.etcd.tls_ca; }},
    {"etcd-tls-cert", "FILE", "etcd",
     "PEM file of the certificate chain that the relay shows etcd. Needs --etcd-tls-ca and "
     "--etcd-tls-key.",
     [](std::string_view text, RelayConfig& c) { return TakePath(text, c.store.etcd.tls_cert); },
     [](const RelayConfig& c) { return c.store.etcd.tls_cert; }},
    {"etcd-tls-key", "FILE", "etcd", "PEM file of that certificate's private key.",
     [](std::string_view text, RelayConfig& c) { return TakePath(text, c.store.etcd.tls_key); },
     [](const RelayConfig& c) { return c.store.etcd.tls_key; }},
    {"etcd-user-file", "FILE", "etcd",
     "File with the name of the etcd user, who may read and write below --etcd-prefix. A line end "
     "behind it does not count.",
     [](std::string_view text, RelayConfig& c) { return TakePath(text, c.store.etcd.user_file); },
     [](const RelayConfig& c) { return c.store.etcd.user_file; }},
    {"etcd-password-file", "FILE", "etcd", "File with that user's password, in the same way.",
     [](std::string_view text, RelayConfig& c) {
       return TakePath(text, c.store.etcd.password_file);
     },
     [](const RelayConfig& c) { return c.store.etcd.password_file; }},
    {"etcd-prefix", "TEXT", "etcd",
     "What the relay's keys in etcd begin with, 1 to 255 bytes; ends with a slash. Relays that "
     "serve as one have the same.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadEtcdPrefix(text), c.store.etcd.prefix);
     },
     [](const RelayConfig& c) { return c.store.etcd.prefix; }},
    {"max-frame-bytes", "N", "Limits",
     "The longest frame that a client may post, 66000 to 1048576 bytes.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, wire::kMinFrameLimit, wire::kMaxFrameLimit),
                   c.limits.max_frame_bytes);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.limits.max_frame_bytes); }},
    {"window-frames", "N", "Limits",
     "The most frames that a side may have posted and its peer not accepted, 4 to 4096.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, wire::kMinWindowFrames, kMaxWindowFrames),
                   c.limits.window_frames);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.limits.window_frames); }},
    {"window-bytes", "N", "Limits",
     "The most bytes of such frames, 262144 to 67108864, and at least --max-frame-bytes. Bounds "
     "what a channel costs in memory and in the store.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, wire::kMinWindowBytes, kMaxWindowBytes), c.limits.window_bytes);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.limits.window_bytes); }},
};

}  // namespace

std::span<const Flag> Flags() { return kFlags; }

std::span<const FlagGroup> FlagGroups() { return kGroups; }

}  // namespace wormhole::relay
