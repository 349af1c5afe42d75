#include "client/stream/grpc_channels.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/limits.h"

namespace wormhole {
namespace {

// Pings find a dead connection sooner than the heartbeats of the protocol, which have 50 seconds.
// The relay permits a ping every 10 seconds; both ends must agree, or the relay ends the connection
// with ENHANCE_YOUR_CALM. Without the last one, gRPC stops pinging an idle stream after two.
void SetKeepalive(grpc::ChannelArguments* args) {
  args->SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  args->SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  args->SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  args->SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

// The exchange's own schedule says when to try again, so gRPC's backoff stays below the schedule's
// half second: a try during the backoff fails without an attempt, even when the relay is back. gRPC
// gives up an attempt that hangs after five seconds (GrpcCloser counts on it), which delays nobody
// who knows another address.
void SetReconnects(grpc::ChannelArguments* args) {
  args->SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args->SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 400);
  args->SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  args->SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1'000);
  // Else a new channel would inherit the backoff of one that has just been closed.
  args->SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
}

// The arguments that gRPC itself sets when it has read the environment (http_connect_handshaker.h).
// With GRPC_ARG_HTTP_PROXY it would still read $no_proxy, in its own way.
constexpr char kConnectServer[] = "grpc.http_connect_server";
constexpr char kConnectHeaders[] = "grpc.http_connect_headers";

void SetProxy(const Route& route, grpc::ChannelArguments* args) {
  args->SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // RoutesTo has decided already
  if (!route.proxy.has_value()) return;
  args->SetString(kConnectServer, route.connect_to);
  if (route.proxy->credentials.empty()) return;
  args->SetString(kConnectHeaders,
                  "Proxy-Authorization:Basic " + absl::Base64Escape(route.proxy->credentials));
}

grpc::ChannelArguments ChannelArgs(const Route& route) {
  grpc::ChannelArguments args;
  SetKeepalive(&args);
  SetReconnects(&args);
  SetProxy(route, &args);
  if (!route.authority.empty()) args.SetString(GRPC_ARG_DEFAULT_AUTHORITY, route.authority);
  args.SetMaxReceiveMessageSize(wire::kMaxResponseBytes);
  args.SetUserAgentPrefix("wormhole-sync/1");
  // A name with several addresses is several relays, or one that not every address leads to.
  args.SetServiceConfigJSON(R"({"loadBalancingConfig":[{"round_robin":{}}]})");
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  return args;
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const Tls& tls, Security security) {
  if (security == Security::kPlaintext) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls.root_certificates;
  options.pem_cert_chain = tls.certificate_chain;
  options.pem_private_key = tls.private_key;
  return grpc::SslCredentials(options);
}

// Whether a channel in this state may be connecting: after a failure it shows the failure until it
// is connected.
bool MayConnect(grpc_connectivity_state state) {
  return state == GRPC_CHANNEL_CONNECTING || state == GRPC_CHANNEL_TRANSIENT_FAILURE;
}

// gRPC 1.51 never lets go of a connection whose channel is destroyed after the relay's first word
// and before gRPC has taken note of it: neither its socket nor gRPC itself would ever end. So an
// attempt comes to its end before its channel is destroyed.
void AwaitAttempt(grpc::Channel& channel) {
  const auto deadline = std::chrono::system_clock::now() + GrpcCloser::kAttempt;
  while (channel.GetState(false) == GRPC_CHANNEL_CONNECTING &&
         channel.WaitForStateChange(GRPC_CHANNEL_CONNECTING, deadline)) {
  }
}

// Has a channel destroyed elsewhere: OnDone of a stream, on a thread of gRPC, may drop the last
// reference.
class ChannelOwner {
 public:
  ChannelOwner(std::shared_ptr<grpc::Channel> channel, std::shared_ptr<GrpcCloser> closer)
      : closer_(std::move(closer)), channel_(std::move(channel)) {
    closer_->NoteOpen();
  }
  ~ChannelOwner() {
    closer_->Close([channel = std::move(channel_), closer = closer_]() mutable {
      AwaitAttempt(*channel);
      const bool may_connect = MayConnect(channel->GetState(false));
      channel = nullptr;
      closer->NoteEnding(may_connect ? GrpcCloser::kAttempt : GrpcCloser::kClosing);
    });
  }
  ChannelOwner(const ChannelOwner&) = delete;
  ChannelOwner& operator=(const ChannelOwner&) = delete;

  grpc::Channel* get() const { return channel_.get(); }

 private:
  const std::shared_ptr<GrpcCloser> closer_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

GrpcChannels::GrpcChannels(std::shared_ptr<GrpcCloser> closer) : closer_(std::move(closer)) {}

std::shared_ptr<grpc::Channel> GrpcChannels::To(const Way& way) {
  const Key key(way.route.target, way.route.authority, way.route.connect_to, way.security,
                way.tls.root_certificates, way.tls.certificate_chain, way.tls.private_key);
  sync::MutexLock lock(mutex_);
  if (const auto it = channels_.find(key); it != channels_.end()) {
    if (std::shared_ptr<grpc::Channel> channel = it->second.lock()) return channel;
  }
  std::erase_if(channels_, [](const auto& entry) { return entry.second.expired(); });
  auto owner = std::make_shared<ChannelOwner>(
      grpc::CreateCustomChannel(way.route.target, CredentialsOf(way.tls, way.security),
                                ChannelArgs(way.route)),
      closer_);
  const std::shared_ptr<grpc::Channel> channel(owner, owner->get());
  channels_[key] = channel;
  return channel;
}

void GrpcChannels::Forget(const std::shared_ptr<grpc::Channel>& channel) {
  sync::MutexLock lock(mutex_);
  std::erase_if(channels_, [&](const auto& entry) { return entry.second.lock() == channel; });
}

}  // namespace wormhole
