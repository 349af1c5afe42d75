#include "relay/config/flag_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/wire/limits.h"
#include "relay/config/flag_values.h"

namespace wormhole::relay {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

// A relay takes some 15 MiB when nobody is there.
constexpr uint32_t kLeastMib = 64;
constexpr uint32_t kMostMib = 1 << 20;

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

// In MiB.
absl::StatusOr<uint64_t> ReadMemory(std::string_view text) {
  const absl::StatusOr<uint32_t> mib = ReadNumber(text, 0, kMostMib);
  if (mib.ok() && (*mib == 0 || *mib >= kLeastMib)) return uint64_t{*mib} << 20;
  return absl::InvalidArgumentError(
      absl::StrCat("should be 0, or ", kLeastMib, " to ", kMostMib, " MiB"));
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
// As many as systemd and containers give descriptors.
constexpr uint32_t kMaxConnections = 1'000'000;

constexpr uint32_t kMostOfAddress = 1'000'000;
constexpr uint32_t kMaxChannels = 1'000'000;
constexpr uint32_t kMostStoredBytes = 4'000'000'000;
constexpr uint32_t kMostPostedBytes = 4'000'000'000;

constexpr FlagGroup kGroups[] = {
    {"Serving", "What clients connect to, how long they stay, and how the relay stops."},
    {"Strangers", "What those may take who come from anywhere."},
    {"Watching", "What operators see. Never codes, tokens or frames."},
    {"Channels", "Where they are kept and how long they live."},
    {"etcd", "How to reach it, with --store=etcd:HOST:PORT."},
    {"Limits", "What one channel may cost. Clients are told."},
};

constexpr Flag kFlags[] = {
    {"listen", "ADDRESS:PORT|unix:PATH", "Serving",
     "Where clients connect, port 0 to 65535. 0.0.0.0 and [::] are every address of both families. "
     "Port 0 lets the system pick one; it is printed as "
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
    {"max-connections", "N", "Strangers",
     "How many connections the public port holds, 1 to 1000000. For a further one, one "
     "without a stream gives way, of whoever has most of these; when there is none that is older "
     "than --handshake-timeout, a younger one, but only to whoever has fewer; when all have "
     "streams "
     "it is reset. Against those who open connections until memory or descriptors run out, or hold "
     "all places; sixteen descriptors stay free in any case. The last quarter is for addresses "
     "that have fewer than 64 (of IPv6: whose /48 has), unless one may have all.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 1, kMaxConnections), c.max_connections);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_connections); }},
    {"max-connections-per-address", "N", "Strangers",
     "How many of them one address has, or a /64 of IPv6, 1 to 1000000; a /48 twice as many. "
     "Against one who takes all. "
     "Behind a proxy that is not in --proxy-from all clients have its address: give it what "
     "--max-connections has. Not for --listen=unix:PATH.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 1, kMaxConnections), c.max_connections_per_address);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_connections_per_address); }},
    {"proxy-from", "NETWORK[,NETWORK...]", "Strangers",
     "Proxies that say in a PROXY header (version 1 or 2) for whom they connect: 10.0.0.5, or "
     "networks such as 2001:db8::/32, 1 to 100. Give only hosts that send a header for every "
     "client, "
     "and that strangers cannot connect through otherwise: one without a header counts as the "
     "proxy "
     "itself. The client's address then has the limits and is in the log. Against one who hides "
     "among others behind a proxy; a header from anywhere else is not believed.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadNetworks(text), c.proxy_from); },
     [](const RelayConfig& c) { return WriteNetworks(c.proxy_from); }},
    {"tokens-file", "FILE", "Strangers",
     "Who may allocate and claim, by the bearer token that their program sends; without it, "
     "everybody may. A line is WHO USES APP-ID: what hash-token prints (see Commands), or anyone; "
     "allocate, claim or allocate,claim; one app-id, or example.com/* for all that begin so; at "
     "most 1000 lines, and comments behind a #. Read again when it changes; one that is broken is "
     "logged, and the last good one stays in force. Against strangers who take what is for your "
     "people.",
     [](std::string_view text, RelayConfig& c) { return TakePath(text, c.tokens_file); },
     [](const RelayConfig& c) { return c.tokens_file; }},
    {"max-connections-per-minute", "N", "Strangers",
     "How often one address may connect in a minute, and at once, up to 1000000; 0: no limit. For "
     "this and what follows an address is a /64 of IPv6, a /48 has twice as much, and sockets at a "
     "path have no limit. Against one who connects and leaves without end, for whom each time the "
     "relay would do the work of TLS.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostOfAddress), c.max_connections_per_minute);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_connections_per_minute); }},
    {"max-stream-opens-per-minute", "N", "Strangers",
     "How many streams one address may open in a minute, and at once, up to 1000000; 0: no limit. "
     "A stream that is over before it has said what it is for counts as ten. Who opens twice as "
     "many "
     "loses its connections, and cannot connect for a minute. Against one who opens streams and "
     "resets them.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostOfAddress), c.max_stream_opens_per_minute);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_stream_opens_per_minute); }},
    {"max-allocations-per-minute", "N", "Strangers",
     "How many channels one address may allocate in a minute, and at once, up to 1000000; 0: no "
     "limit. Who is beyond it is told to come back (BUSY), as with those that follow. Against one "
     "who takes all short ids, or fills the store.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostOfAddress), c.max_allocations_per_minute);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_allocations_per_minute); }},
    {"max-claims-per-minute", "N", "Strangers",
     "How many channels one address may claim in a minute, and at once, up to 1000000; 0: no "
     "limit. Against one who claims everybody's channels: each claim by another than the invited "
     "ends an exchange.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostOfAddress), c.max_claims_per_minute);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_claims_per_minute); }},
    {"max-failed-claims-per-minute", "N", "Strangers",
     "How many claims of one address may find no channel in a minute, up to 1000000, before all "
     "its claims have to wait; 0: no limit. Against one who looks for channels by trying ids.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostOfAddress), c.max_failed_claims_per_minute);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_failed_claims_per_minute); }},
    {"max-streams", "N", "Strangers",
     "How many streams there are at a time, up to 1000000; 0: no limit. The last quarter is for "
     "addresses that have fewer than 64. Against those who open streams until memory runs out: one "
     "takes some 20 KiB.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostOfAddress), c.max_streams);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_streams); }},
    {"max-streams-per-address", "N", "Strangers",
     "How many of them one address has, up to 1000000; 0: no limit. Against one who takes all.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostOfAddress), c.max_streams_per_address);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_streams_per_address); }},
    {"max-channels-per-address", "N", "Strangers",
     "How many channels that one address has allocated are active at a time, up to 1000000; 0: no "
     "limit. Against one who allocates and goes, again and again: a channel lasts without a "
     "stream.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostOfAddress), c.max_channels_per_address);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_channels_per_address); }},
    {"max-streams-per-connection", "N", "Strangers",
     "How many streams one connection has, 1 to 1000000. Against one who opens streams faster than "
     "they can be refused. Clients hold back what is beyond it: keep it above "
     "--max-streams-per-address.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 1, kMostOfAddress), c.max_streams_per_connection);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_streams_per_connection); }},
    {"max-header-bytes", "N", "Strangers",
     "How large a call's headers may be, 1024 to 1048576 bytes. Larger than a bearer token and "
     "what "
     "proxies add, small against those who send headers without end: gRPC reads them to their end "
     "all the same, only an edge does not.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 1 << 10, 1 << 20), c.max_header_bytes);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_header_bytes); }},
    {"handshake-timeout", "TIME", "Strangers",
     "How long a new connection may take to become one of HTTP/2, TLS included, and a proxy to say "
     "for whom it connects, 1s to 1m. Against those who connect and stop half-way.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::Seconds(1), absl::Minutes(1)), c.handshake_timeout);
     },
     [](const RelayConfig& c) { return WriteDuration(c.handshake_timeout); }},
    {"open-timeout", "TIME", "Strangers",
     "How long a new stream may say nothing before it is ended, 1s to 1h. Against those who open "
     "streams and say nothing.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::Seconds(1), absl::Hours(1)), c.open_timeout);
     },
     [](const RelayConfig& c) { return WriteDuration(c.open_timeout); }},
    {"write-timeout", "TIME", "Strangers",
     "How long a client may read nothing while the relay has something for it, 1s to 1h; after "
     "half of it at the earliest the stream is ended, and what was for it stays in the store. "
     "Against those who never read.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::Seconds(1), absl::Hours(1)), c.write_timeout);
     },
     [](const RelayConfig& c) { return WriteDuration(c.write_timeout); }},
    {"idle-timeout", "TIME", "Strangers",
     "How long a connection may have no stream, 1s to 1h. Against those who connect, and then say "
     "nothing.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadDuration(text, absl::Seconds(1), absl::Hours(1)), c.idle_timeout);
     },
     [](const RelayConfig& c) { return WriteDuration(c.idle_timeout); }},
    {"max-memory", "MIB", "Strangers",
     "How much memory the relay takes, in MiB, 64 to 1048576; 0: no limit. From seven eighths of "
     "it on nobody new is let in, until it is three quarters. Against whatever no other limit "
     "holds.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadMemory(text), c.max_memory); },
     [](const RelayConfig& c) { return absl::StrCat(c.max_memory >> 20); }},
    {"max-channels", "N", "Strangers",
     "How many channels are active at a time, over etcd of all relays together, up to 1000000; 0: "
     "no limit. Twice as many that have ended are kept for their quarantine. Against many "
     "addresses "
     "that allocate and go, until memory or the store is full.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMaxChannels), c.channel_caps.in_all);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.channel_caps.in_all); }},
    {"max-channels-per-app", "N", "Strangers",
     "How many of them one app-id has, up to 1000000; 0: no limit. Against those who take what "
     "other app-ids need.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMaxChannels), c.channel_caps.per_app);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.channel_caps.per_app); }},
    {"max-stored-bytes", "N", "Strangers",
     "Bytes of all frames that nobody has accepted yet, up to 4000000000; 0: no limit. Who posts "
     "more is told to come back (BUSY), and posts it again; the last quarter is for sides of which "
     "16 KiB are kept at most. Not with etcd, which has a quota. Against those who fill memory or "
     "the disk by posting what nobody reads.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostStoredBytes), c.max_stored_bytes);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_stored_bytes); }},
    {"max-posted-bytes-per-second", "N", "Strangers",
     "Bytes of frames that both sides of one channel post in a second, each frame counted as 1 KiB "
     "more, up to 4000000000; 0: no limit. A window of them, or a second's bytes if these are "
     "more, may come at once. Who posts more is not refused: the relay reads on when there is room "
     "again, so that nothing is lost, and what is said behind such a frame comes later. Against "
     "those who post and accept without end, until etcd is full.",
     [](std::string_view text, RelayConfig& c) {
       return Take(ReadNumber(text, 0, kMostPostedBytes), c.max_posted_bytes_per_second);
     },
     [](const RelayConfig& c) { return absl::StrCat(c.max_posted_bytes_per_second); }},
    {"min-digits", "N[,APP-ID=N...]", "Strangers",
     "The fewest digits of an id that the relay draws, 1 to 9: of all app-ids, and of at most 100 "
     "by name. Ids that two people have agreed on may be shorter. Against those who claim every "
     "short id, in the hope that somebody has just been given it.",
     [](std::string_view text, RelayConfig& c) { return Take(ReadMinDigits(text), c.min_digits); },
     [](const RelayConfig& c) { return WriteMinDigits(c.min_digits); }},
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
