#include "client/stream/grpc_transport.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <system_error>
#include <thread>
#include <utility>

#include "client/stream/grpc_stream.h"
#include "client/stream/target.h"

namespace wormhole {
namespace {

// A frame has at most 66,000 bytes and a message of the day is short; the rest is generosity.
constexpr int kMaxResponseBytes = 1 << 20;

// Pings find a dead connection sooner than the heartbeats of the protocol, which have 50 seconds.
// The relay permits a ping every 10 seconds; both ends must agree, or the relay ends the connection
// with ENHANCE_YOUR_CALM. Without the last one, gRPC stops pinging an idle stream after two.
void SetKeepalive(grpc::ChannelArguments* args) {
  args->SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  args->SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  args->SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  args->SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

// The exchange's own schedule says when to try again, so gRPC's backoff stays below its half
// second: a try within it fails at once without one, at a relay that is back already. An attempt
// that hangs is given up after five seconds, which holds up nobody who knows another address.
void SetReconnects(grpc::ChannelArguments* args) {
  args->SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args->SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 400);
  args->SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  args->SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1'000);
  // Else a new channel would inherit the backoff of one that has just been closed.
  args->SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
}

// A list of addresses is no name that a certificate could have, or that a proxy would take for a
// host; gRPC would use it as one. The first of them stands for all.
void SetAuthority(const std::string& relay, grpc::ChannelArguments* args) {
  const size_t comma = relay.find(',');
  const size_t begin = relay.find(':') + 1;
  const bool literals = relay.starts_with("ipv4:") || relay.starts_with("ipv6:");
  if (!literals || comma == std::string::npos) return;
  args->SetString(GRPC_ARG_DEFAULT_AUTHORITY, relay.substr(begin, comma - begin));
}

grpc::ChannelArguments ChannelArgs(const std::string& relay) {
  grpc::ChannelArguments args;
  SetKeepalive(&args);
  SetReconnects(&args);
  SetAuthority(relay, &args);
  args.SetMaxReceiveMessageSize(kMaxResponseBytes);
  args.SetUserAgentPrefix("wormhole-sync/1");
  // A name with several addresses is several relays, or one that not every address leads to.
  args.SetServiceConfigJSON(R"({"loadBalancingConfig":[{"round_robin":{}}]})");
  args.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // Plaintext to this machine must not leave it by way of $http_proxy.
  if (IsLoopback(relay).value_or(false)) args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
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

// Destroys a channel on a thread of its own. With the last channel of a process gRPC 1.51 ends its
// callback threads and joins them; on one of them, where OnDone of a stream runs and may drop the
// last reference, it would join itself and go on with a deleted completion queue.
class ChannelOwner {
 public:
  explicit ChannelOwner(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}
  ~ChannelOwner() {
    auto* channel = new std::shared_ptr<grpc::Channel>(std::move(channel_));
    try {
      std::thread([channel] { delete channel; }).detach();
    } catch (const std::system_error&) {
      // No thread to be had: the channel stays, which is better than the end of the process.
    }
  }
  ChannelOwner(const ChannelOwner&) = delete;
  ChannelOwner& operator=(const ChannelOwner&) = delete;

  grpc::Channel* get() const { return channel_.get(); }

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

std::shared_ptr<grpc::Channel> OwnElsewhere(std::shared_ptr<grpc::Channel> channel) {
  auto owner = std::make_shared<ChannelOwner>(std::move(channel));
  return {owner, owner->get()};
}

}  // namespace

std::shared_ptr<Stream> GrpcTransport::Open(const StreamTarget& target,
                                            std::shared_ptr<StreamListener> listener) {
  // The target was checked before the exchange began; a bad one would merely never connect.
  const absl::StatusOr<Security> security = CheckTarget(target);
  return GrpcStream::Start(ChannelTo(target, security.value_or(Security::kTls)),
                           target.bearer_token, std::move(listener));
}

std::shared_ptr<grpc::Channel> GrpcTransport::ChannelTo(const StreamTarget& target,
                                                        Security security) {
  const Key key(target.relay, security, target.tls.root_certificates, target.tls.certificate_chain,
                target.tls.private_key);
  sync::MutexLock lock(mutex_);
  if (const auto it = channels_.find(key); it != channels_.end()) {
    if (std::shared_ptr<grpc::Channel> channel = it->second.lock()) return channel;
  }
  std::erase_if(channels_, [](const auto& entry) { return entry.second.expired(); });
  std::shared_ptr<grpc::Channel> channel = OwnElsewhere(grpc::CreateCustomChannel(
      target.relay, CredentialsOf(target.tls, security), ChannelArgs(target.relay)));
  channels_[key] = channel;
  return channel;
}

}  // namespace wormhole
