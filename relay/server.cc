#include "relay/server.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/grpc.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "relay/credentials.h"
#include "relay/listen_address.h"
#include "sodium.h"

namespace wormhole::relay {
namespace {

// Expiry and lost streams are noticed within a quarter of a second.
constexpr std::chrono::milliseconds kTick(250);
// For answers that are on their way when a drain is over.
constexpr std::chrono::milliseconds kLastWords(500);
// A stream that is told to end has ended after so long, whatever its client does.
constexpr absl::Duration kEndingSlack = absl::Seconds(30);
// Streams of reflection at a time, and the threads that gRPC needs to accept them.
constexpr int kMaxBlockingCalls = 16;
// What a request has beside its frame.
constexpr int kRequestSlack = 64 << 10;

SwitchboardEnvironment RealEnvironment(SwitchboardObserver* observer) {
  return {.wall_now = [] { return absl::Now(); },
          .steady_now =
              [] { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); },
          .random_below = [](uint32_t bound) { return randombytes_uniform(bound); },
          .observer = observer};
}

// Linking the reflection library puts its service on every server; this takes it off one.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins,
                  [](const auto& plugin) { return plugin->name() == "proto_server_reflection"; });
  }
};

// The connection is renewed like its streams, so that new ones reach new relays too; and never cut
// below one: the last stream to begin on it is a tenth over its age, and told to end, before the
// grace is over.
void LimitConnectionAge(absl::Duration stream_age, grpc::ServerBuilder& builder) {
  const int64_t age = absl::ToInt64Milliseconds(stream_age);
  const int64_t grace = absl::ToInt64Milliseconds(1.1 * stream_age + kEndingSlack);
  constexpr int64_t kForever = std::numeric_limits<int>::max();  // 24 days
  if (grace >= kForever) return;
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, static_cast<int>(grace));
}

// Measured with gRPC 1.51.1: its defaults end a client that keeps an idle stream alive.
void SetLimits(const RelayConfig& config, grpc::ServerBuilder& builder) {
  // A second server on the port is an error, not a sharer of its connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // What a client may ping on an idle stream. The client's twin is a keepalive time of 30 s with
  // unlimited pings without data.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 5);
  // Connections whose host has vanished: heartbeats end their streams, this the connection.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Connections that bring nothing.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 300'000);
  LimitConnectionAge(config.max_stream_age, builder);
  // Room for a bearer token; longer headers cost CPU before anyone has said who they are.
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 << 10);
  // Nobody compresses here, and gRPC would inflate a message before it looks at its size.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  // Reflection is the one service that holds a thread for each stream.
  builder.SetResourceQuota(grpc::ResourceQuota().SetMaxThreads(kMaxBlockingCalls));
  builder.SetMaxReceiveMessageSize(static_cast<int>(config.limits.max_frame_bytes) + kRequestSlack);
  if (!config.reflection) builder.SetOption(std::make_unique<WithoutReflection>());
}

// A well-behaved client has at most a window of frames under way, and some status beside them.
BacklogLimits BacklogOf(const ChannelLimits& limits) {
  return {.bytes = 2 * size_t{limits.window_bytes},
          .responses = std::max<size_t>(256, 2 * size_t{limits.window_frames})};
}

}  // namespace

absl::StatusOr<std::unique_ptr<RelayServer>> RelayServer::Start(const RelayConfig& config,
                                                                Store* store, Monitor* monitor) {
  if (sodium_init() < 0) return absl::UnavailableError("libsodium finds no source of randomness");
  absl::StatusOr<std::unique_ptr<Switchboard>> switchboard =
      Switchboard::Create({.limits = config.limits,
                           .heartbeat = config.heartbeat,
                           .motd = config.motd,
                           .max_stream_age = config.max_stream_age},
                          RealEnvironment(monitor), store);
  if (!switchboard.ok()) return switchboard.status();
  std::unique_ptr<RelayServer> server(new RelayServer(config, *std::move(switchboard), monitor));
  const absl::Status listening = server->Listen(config);
  if (!listening.ok()) return listening;
  server->health_.SetServing(true);
  return server;
}

RelayServer::RelayServer(const RelayConfig& config, std::unique_ptr<Switchboard> switchboard,
                         Monitor* monitor)
    : drain_timeout_(config.drain_timeout),
      switchboard_(std::move(switchboard)),
      health_(RendezvousService::kName),
      rendezvous_(switchboard_.get(), BacklogOf(config.limits), monitor),
      ticker_(kTick, [this] { switchboard_->Tick(); }) {}

RelayServer::~RelayServer() { Stop(std::chrono::steady_clock::now()); }

absl::Status RelayServer::Listen(const RelayConfig& config) {
  absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials =
      MakeCredentials(config.tls);
  if (!credentials.ok()) return credentials.status();
  const absl::Status free = ProbeListen(config.listen);
  if (!free.ok()) return free;
  grpc::EnableDefaultHealthCheckService(false);  // ours has a descriptor
  grpc::ServerBuilder builder;
  SetLimits(config, builder);
  int port = 0;
  builder.AddListeningPort(config.listen, *credentials, &port);
  builder.RegisterService(&rendezvous_);
  builder.RegisterService(&health_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", config.listen, "; is the port taken?"));
  }
  address_ = WithPort(config.listen, port);
  return absl::OkStatus();
}

void RelayServer::Withdraw() {
  if (drain_deadline_) return;
  drain_deadline_ = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(drain_timeout_);
  health_.SetServing(false);
}

bool RelayServer::Drain() {
  Withdraw();
  switchboard_->Drain();
  const bool none = stream_count() == 0;
  return Stop(*drain_deadline_) || none;
}

bool RelayServer::Stop(std::chrono::steady_clock::time_point deadline) {
  health_.SetServing(false);
  health_.EndWatches();
  if (server_ == nullptr) return true;
  // Closes the listener and sends GOAWAY, then waits for connections to close: long, if a client
  // that has no stream here any more does not look. So it is cut short when all streams are over.
  const auto shut_down = std::async(std::launch::async, [this, deadline] {
    server_->Shutdown(std::chrono::system_clock::now() +
                      (deadline - std::chrono::steady_clock::now()));
  });
  rendezvous_.AwaitNoStreams(deadline);
  const auto ended_at = std::chrono::steady_clock::now();
  if (shut_down.wait_for(kLastWords) != std::future_status::ready) {
    grpc_server_cancel_all_calls(server_->c_server());
  }
  shut_down.wait();
  server_->Wait();
  // gRPC may be about to return from the last reaction still.
  rendezvous_.AwaitNoStreams(std::chrono::steady_clock::time_point::max());
  server_.reset();
  return ended_at < deadline;
}

}  // namespace wormhole::relay
