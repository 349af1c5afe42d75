#include "relay/server/grpc_port.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/grpc.h"
#include "grpcpp/ext/channelz_service_plugin.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "relay/config/socket_address.h"
#include "relay/server/listen_address.h"
#include "relay/server/socket_file.h"

namespace wormhole::relay {
namespace {

// Within this time a stream that is told to end has ended, whatever its client does.
constexpr absl::Duration kEndingSlack = absl::Seconds(30);
// Streams of reflection at a time, and the threads that gRPC needs to accept them.
constexpr int kMaxBlockingCalls = 16;

// Removes the services of gRPC's libraries from a server that should not have them.
class OnlyPlugins final : public grpc::ServerBuilderOption {
 public:
  OnlyPlugins(bool reflection, bool channelz) : reflection_(reflection), channelz_(channelz) {}

  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    std::erase_if(*plugins, [this](const auto& plugin) {
      return !(reflection_ && plugin->name() == "proto_server_reflection") &&
             !(channelz_ && plugin->name() == "channelz_service");
    });
  }

 private:
  const bool reflection_;
  const bool channelz_;
};

// Connections are renewed at their streams' age, so that new connections reach new relays too. gRPC
// never cuts a stream with its connection: before the grace is over, the last stream to begin on it
// has passed its own age by a tenth and ended.
void LimitConnectionAge(absl::Duration stream_age, grpc::ServerBuilder& builder) {
  const int64_t age = absl::ToInt64Milliseconds(stream_age);
  const int64_t grace = absl::ToInt64Milliseconds(1.1 * stream_age + kEndingSlack);
  constexpr int64_t kForever = std::numeric_limits<int>::max();  // 24 days
  if (grace >= kForever) return;
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, static_cast<int>(grace));
}

// Measured with gRPC 1.51.1: its defaults end a client that keeps an idle stream alive.
void SetLimits(const GrpcPortOptions& options, grpc::ServerBuilder& builder) {
  // Without this, a second server on the port would share its connections instead of failing.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // What a client may ping on an idle stream. The client's twin is a keepalive time of 30 s with
  // unlimited pings without data.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 5);
  // For connections whose host has vanished: heartbeats end their streams, this ends them.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // For connections that finish no handshake, and for those without a call.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 300'000);
  LimitConnectionAge(options.max_stream_age, builder);
  // Room for a bearer token; longer headers cost CPU before anyone has said who they are.
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 << 10);
  // Nobody compresses here, and gRPC would inflate a message before it looks at its size.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  // Reflection and channelz hold a thread for each call, and no other service does.
  builder.SetResourceQuota(grpc::ResourceQuota().SetMaxThreads(kMaxBlockingCalls));
  builder.SetMaxReceiveMessageSize(options.max_request_bytes);
}

absl::Status WithFlag(const GrpcPortOptions& options, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(options.flag, ": ", status.message()));
}

struct Served {
  std::unique_ptr<grpc::Server> server;  // null when gRPC could not start it
  int port = 0;
};

Served Serve(const GrpcPortOptions& options, const std::string& listen) {
  grpc::EnableDefaultHealthCheckService(false);  // the relay's own has a descriptor
  if (options.channelz) grpc::channelz::experimental::InitChannelzService();
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  builder.SetOption(std::make_unique<OnlyPlugins>(options.reflection, options.channelz));
  Served served;
  builder.AddListeningPort(listen, options.credentials, &served.port);
  for (grpc::Service* service : options.services) builder.RegisterService(service);
  if (options.monitor != nullptr) options.monitor->WatchCalls(builder);
  served.server = builder.BuildAndStart();
  return served;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcPort>> GrpcPort::Open(const GrpcPortOptions& options) {
  const std::string path = SocketPath(options.listen);
  if (!path.empty()) return OpenSocket(options, path);
  if (const absl::Status free = ProbeListen(options.listen); !free.ok()) {
    return WithFlag(options, free);
  }
  auto [server, port] = Serve(options, options.listen);
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(
        absl::StrCat(options.flag, ": cannot listen on ", options.listen, "; is the port taken?"));
  }
  return std::unique_ptr<GrpcPort>(
      new GrpcPort(WithPort(options.listen, port), static_cast<uint16_t>(port), std::move(server)));
}

absl::StatusOr<std::unique_ptr<GrpcPort>> GrpcPort::OpenSocket(const GrpcPortOptions& options,
                                                               const std::string& path) {
  auto place = SocketPlace::Make(path, kSocketPatience);
  if (!place.ok()) return WithFlag(options, place.status());
  auto [server, port] = Serve(options, "unix:" + (*place)->bind_path());
  if (server == nullptr) {
    return absl::UnavailableError(
        absl::StrCat(options.flag, ": cannot listen on ", options.listen,
                     "; give a path in a folder where this user may write"));
  }
  std::unique_ptr<GrpcPort> opened(new GrpcPort("unix:" + path, 0, std::move(server)));
  opened->place_ = *std::move(place);
  if (absl::Status there = opened->place_->Publish(); !there.ok()) return WithFlag(options, there);
  return opened;
}

GrpcPort::GrpcPort(std::string address, uint16_t port, std::unique_ptr<grpc::Server> server)
    : address_(std::move(address)), port_(port), server_(std::move(server)) {}

GrpcPort::~GrpcPort() { Close(std::chrono::steady_clock::now()); }

void GrpcPort::Close(std::chrono::steady_clock::time_point deadline) {
  if (place_ != nullptr) place_->Leave();
  server_->Shutdown(std::chrono::system_clock::now() +
                    (deadline - std::chrono::steady_clock::now()));
  server_->Wait();
}

void GrpcPort::CutCalls() { grpc_server_cancel_all_calls(server_->c_server()); }

}  // namespace wormhole::relay
