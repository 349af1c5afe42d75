#include "relay/server/grpc_port.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/grpc.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "relay/config/socket_address.h"
#include "relay/server/listeners.h"
#include "relay/server/socket_file.h"

namespace wormhole::relay {
namespace {

// Within this time a stream that is told to end has ended, whatever its client does.
constexpr absl::Duration kEndingSlack = absl::Seconds(30);
// For answers that are on their way when a connection has reached its age.
constexpr absl::Duration kLastAnswers = absl::Seconds(10);
// For how long a client's system may leave data or a keepalive ping unanswered.
constexpr int kSilenceMilliseconds = 20'000;
// Of all connections, beside a burst. A call is let in, or refused and over, within a millisecond,
// but for those of somebody who sends them without a pause, or reads nothing. Each takes 40 KB.
constexpr size_t kMostCalls = 512;
// At a time, in bytes. gRPC begins all calls that are in there, whatever becomes of the connection
// meanwhile: with its own limit, of four megabytes, 300,000. This is what it begins with.
constexpr int kMostRead = 8 << 10;

using ExternalConnectionAcceptor = grpc::experimental::ExternalConnectionAcceptor;

// Connections are renewed at their streams' age, so that new connections reach new relays too. gRPC
// never cuts a stream with its connection: before the grace is over, the last stream to begin on it
// has passed its own age by a tenth and ended.
absl::Duration GraceFor(absl::Duration stream_age) { return 1.1 * stream_age + kEndingSlack; }

void LimitConnectionAge(absl::Duration age, absl::Duration grace, grpc::ServerBuilder& builder) {
  constexpr int64_t kForever = std::numeric_limits<int>::max();  // 24 days
  const int64_t age_ms = absl::ToInt64Milliseconds(age);
  const int64_t grace_ms = absl::ToInt64Milliseconds(grace);
  if (age_ms >= kForever || grace_ms >= kForever) return;
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(age_ms));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, static_cast<int>(grace_ms));
}

// Measured with gRPC 1.51.1: its defaults end a client that keeps an idle stream alive.
void SetLimits(const GrpcPortOptions& options, grpc::ServerBuilder& builder) {
  // What a client may ping on an idle stream. The client's twin is a keepalive time of 30 s with
  // unlimited pings without data.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 5);
  // For connections whose host has vanished: heartbeats end their streams, this ends them.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kSilenceMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // For connections that finish no handshake, and for those without a call.
  builder.AddChannelArgument(
      GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
      static_cast<int>(absl::ToInt64Milliseconds(options.handshake_timeout)));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(options.idle_timeout)));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection);
  if (options.max_connection_age == absl::InfiniteDuration()) {
    LimitConnectionAge(options.max_stream_age, GraceFor(options.max_stream_age), builder);
  } else {
    LimitConnectionAge(options.max_connection_age,
                       std::min(options.max_connection_age, kLastAnswers), builder);
  }
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, options.max_header_bytes);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, options.in_channelz ? 1 : 0);
  // Else gRPC answers what a client sends with pings of its own, to learn whether a window of more
  // than 64 KiB would be faster. Frames are smaller, and what a client may have on its way is
  // better not for the client to raise.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  // Nobody compresses here, and gRPC would inflate a message before it looks at its size.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  builder.SetMaxReceiveMessageSize(options.max_request_bytes);
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kMostRead);
}

absl::Status WithFlag(const GrpcPortOptions& options, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(options.flag, ": ", status.message()));
}

void SetInterceptors(const GrpcPortOptions& options, grpc::ServerBuilder& builder) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
  if (options.monitor != nullptr) {
    if (auto counter = options.monitor->CallCounter()) factories.push_back(std::move(counter));
  }
  builder.experimental().SetInterceptorCreators(std::move(factories));
}

// What gRPC sets on its own listeners; connections inherit it.
void SetTcpOptions(int listener, int receive_buffer) {
  const int on = 1;
  if (receive_buffer != 0) {
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, &kSilenceMilliseconds,
             sizeof(kSilenceMilliseconds));
}

// At a path where nothing is. Invalid when that cannot be.
Descriptor ListenAt(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return Descriptor();
  path.copy(address.sun_path, path.size());
  Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener.valid()) return listener;
  if (bind(listener.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Descriptor();
  }
  if (listen(listener.number(), Listeners::kLongBacklog) == 0) return listener;
  unlink(path.c_str());
  return Descriptor();
}

AcceptRules RulesAtPath(AcceptRules rules) {
  rules.caps.per_address = rules.caps.in_all + 1;  // never the one that refuses
  rules.proxies.clear();
  rules.in_use = nullptr;  // all have one name there
  return rules;
}

void HandOver(ExternalConnectionAcceptor& acceptor, int listener, int connection) {
  ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = listener;
  parameters.fd = connection;
  acceptor.HandleNewConnection(&parameters);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcPort>> GrpcPort::Open(const GrpcPortOptions& options) {
  const std::string path = SocketPath(options.listen);
  if (!path.empty()) return OpenSocket(options, path);
  Listeners listeners;
  const absl::Status listening =
      listeners.Open(options.listen, Listeners::kLongBacklog, Listeners::Zeros::kEverything);
  if (!listening.ok()) return WithFlag(options, listening);
  for (const int listener : listeners.sockets()) SetTcpOptions(listener, options.receive_buffer);
  Served served = Serve(options);
  if (served.server == nullptr) {
    return absl::UnavailableError(absl::StrCat(options.flag, ": cannot serve on ", options.listen,
                                               "; may this process start threads?"));
  }
  std::unique_ptr<GrpcPort> opened(
      new GrpcPort(listeners.address(), listeners.port(), std::move(served)));
  const absl::Status accepting = opened->Accept(options, options.accept, listeners.Release());
  if (!accepting.ok()) return accepting;
  return opened;
}

absl::Status GrpcPort::Accept(const GrpcPortOptions& options, const AcceptRules& rules,
                              std::vector<int> listeners) {
  // Not before the server has started: until then the acceptor loses what it is given.
  absl::StatusOr<std::unique_ptr<AcceptLoop>> loop =
      AcceptLoop::Start(std::move(listeners), rules,
                        [acceptor = served_.acceptor.get()](int listener, int connection) {
                          HandOver(*acceptor, listener, connection);
                        },
                        {.observer = options.arrivals, .names = options.names});
  if (!loop.ok()) return WithFlag(options, loop.status());
  loop_ = *std::move(loop);
  // It goes when there are no calls any more.
  served_.calls->SetTooMany([loop = loop_.get()] { loop->CutUnread(); });
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<GrpcPort>> GrpcPort::OpenSocket(const GrpcPortOptions& options,
                                                               const std::string& path) {
  auto place = SocketPlace::Make(path, kSocketPatience);
  if (!place.ok()) return WithFlag(options, place.status());
  const std::string bind_path = (*place)->bind_path();
  // Before gRPC starts its threads, and closed if anything fails.
  Descriptor listener = ListenAt(bind_path);
  Served served;
  if (listener.valid()) served = Serve(options);
  if (served.server == nullptr) {
    if (listener.valid()) unlink(bind_path.c_str());
    return absl::UnavailableError(
        absl::StrCat(options.flag, ": cannot listen on ", options.listen,
                     "; give a path in a folder where this user may write"));
  }
  std::unique_ptr<GrpcPort> opened(new GrpcPort("unix:" + path, 0, std::move(served)));
  opened->place_ = *std::move(place);
  const absl::Status accepting =
      opened->Accept(options, RulesAtPath(options.accept), {listener.Release()});
  if (!accepting.ok()) {
    unlink(bind_path.c_str());
    return accepting;
  }
  if (absl::Status there = opened->place_->Publish(); !there.ok()) {
    unlink(bind_path.c_str());
    return WithFlag(options, there);
  }
  return opened;
}

GrpcPort::Served GrpcPort::Serve(const GrpcPortOptions& options) {
  grpc::EnableDefaultHealthCheckService(false);  // the relay's own has a descriptor
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  Served served;
  served.acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, options.credentials);
  for (grpc::Service* service : options.services) builder.RegisterService(service);
  if (options.gate != nullptr) {
    served.unknown = std::make_unique<UnknownMethods>(options.gate, options.unknown_is_abandoned);
    builder.RegisterCallbackGenericService(served.unknown.get());
  }
  auto calls = std::make_unique<BegunCalls>(kMostCalls + options.burst, options.calls_in_hand);
  served.calls = calls.get();
  builder.SetContextAllocator(std::move(calls));
  SetInterceptors(options, builder);
  served.server = builder.BuildAndStart();
  return served;
}

GrpcPort::GrpcPort(std::string address, uint16_t port, Served served)
    : address_(std::move(address)), port_(port), served_(std::move(served)) {}

GrpcPort::~GrpcPort() { Close(std::chrono::steady_clock::now()); }

void GrpcPort::Close(std::chrono::steady_clock::time_point deadline) {
  if (place_ != nullptr) place_->Leave();
  // First: once the server stops, the acceptor loses what it is given.
  if (loop_ != nullptr) loop_->Stop();
  served_.server->Shutdown(std::chrono::system_clock::now() +
                           (deadline - std::chrono::steady_clock::now()));
  served_.server->Wait();
}

void GrpcPort::CutConnectionsOf(const net::Address& client) {
  if (loop_ != nullptr) loop_->Cut(client);
}

void GrpcPort::CutConnections() {
  if (loop_ != nullptr) loop_->CutAll();
}

std::optional<net::Address> GrpcPort::CutWhoHoldsUp() {
  return loop_ == nullptr ? std::nullopt : loop_->CutWhoHoldsUp();
}

void GrpcPort::CutCalls() { grpc_server_cancel_all_calls(served_.server->c_server()); }

}  // namespace wormhole::relay
