#include "client/stream/grpc_transport.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <net/if.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/core/outcome.h"
#include "client/stream/authorities.h"
#include "client/stream/grpc_stream.h"
#include "client/stream/pem.h"
#include "client/stream/relay_address.h"
#include "client/stream/target.h"
#include "client/stream/thread_rehearsal.h"

namespace wormhole {
namespace {

// The longest frame that a relay may let through, and what is around it (PROTOCOL.md section 2,
// sizes). Were it less, a peer with such a frame would end each stream without a word.
constexpr int kMaxResponseBytes = (1 << 20) + (4 << 10);

// Where a stream goes that has nowhere to go: no socket.
constexpr char kNowhere[] = "unix:/dev/null";

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

// gRPC's names of what its own reading of the environment comes to (http_connect_handshaker.h).
// With GRPC_ARG_HTTP_PROXY it would look into $no_proxy all the same, and read it in its own way.
constexpr char kConnectServer[] = "grpc.http_connect_server";
constexpr char kConnectHeaders[] = "grpc.http_connect_headers";

void SetProxy(const Route& route, grpc::ChannelArguments* args) {
  args->SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // it has been decided here
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
  args.SetMaxReceiveMessageSize(kMaxResponseBytes);
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

// A zone that this machine has no interface for would merely never connect.
absl::Status CheckZones(std::string_view relay) {
  const auto address = ParseRelayAddress(relay);
  if (!address.ok()) return address.status();
  for (const Endpoint& endpoint : address->endpoints) {
    uint32_t number = 0;
    if (endpoint.zone.empty() || absl::SimpleAtoi(endpoint.zone, &number) ||
        if_nametoindex(endpoint.zone.c_str()) != 0) {
      continue;
    }
    return core::Failure(
        Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
        absl::StrCat("name an interface of this machine behind the % (`ip link` lists them): it "
                     "has none called '",
                     endpoint.zone, "'"));
  }
  return absl::OkStatus();
}

}  // namespace

GrpcTransport::GrpcTransport() : GrpcTransport(ProxySettings::From(&std::getenv)) {}

GrpcTransport::GrpcTransport(ProxySettings proxies) : proxies_(std::move(proxies)) {}

absl::Status GrpcTransport::Check(const StreamTarget& target) {
  const absl::StatusOr<Security> security = CheckTarget(target);
  if (!security.ok()) return security.status();
  const bool tls = *security == Security::kTls;
  if (auto routes = RoutesTo(target.relay, tls, proxies_); !routes.ok()) return routes.status();
  if (absl::Status status = CheckZones(target.relay); !status.ok()) return status;
  if (absl::Status status = CheckPems(target.tls); !status.ok()) return status;
  if (tls && target.tls.root_certificates.empty()) {
    const absl::Status trust = CheckAuthorities(AuthorityPlaces::From(&std::getenv));
    if (!trust.ok()) return trust;
  }
  return Rehearse();
}

absl::Status GrpcTransport::Rehearse() {
  sync::MutexLock lock(mutex_);
  if (rehearsed_) return absl::OkStatus();
  absl::Status status = RehearseThreads(ThreadsOfGrpc());
  rehearsed_ = status.ok();
  return status;
}

std::shared_ptr<Stream> GrpcTransport::Open(const StreamTarget& target,
                                            std::shared_ptr<StreamListener> listener) {
  // The target was checked before the exchange began; a bad one merely never connects.
  const Security security = CheckTarget(target).value_or(Security::kTls);
  auto routes = RoutesTo(target.relay, security == Security::kTls, proxies_);
  if (!routes.ok()) routes = std::vector<Route>{{.target = kNowhere}};
  const Route& route = NextRoute(target, *routes, security);
  Explainer::Way way{.scene = {.relay = target.relay,
                               .route = route,
                               .loopback = IsLoopback(target.relay).value_or(false)},
                     .security = security,
                     .tls = target.tls};
  return GrpcStream::Start(ChannelTo(target, route, security), std::move(way), explainer_, Awake(),
                           target.bearer_token, std::move(listener));
}

// Not before a stream is opened: gRPC ends a process that it cannot start its threads in, and the
// rehearsal comes first.
std::shared_ptr<rpc::AwakeThreads> GrpcTransport::Awake() {
  sync::MutexLock lock(mutex_);
  std::shared_ptr<rpc::AwakeThreads> awake = awake_.lock();
  if (awake == nullptr) awake_ = awake = std::make_shared<rpc::AwakeThreads>();
  return awake;
}

const Route& GrpcTransport::NextRoute(const StreamTarget& target, const std::vector<Route>& routes,
                                      Security security) {
  if (routes.size() == 1) return routes.front();
  size_t turn = 0;
  {
    sync::MutexLock lock(mutex_);
    turn = turn_++;
  }
  for (size_t i = 0; i < routes.size(); ++i) {
    const Route& route = routes[(turn + i) % routes.size()];
    const auto state = ChannelTo(target, route, security)->GetState(false);
    if (state != GRPC_CHANNEL_TRANSIENT_FAILURE) return route;
  }
  return routes[turn % routes.size()];
}

std::shared_ptr<grpc::Channel> GrpcTransport::ChannelTo(const StreamTarget& target,
                                                        const Route& route, Security security) {
  const Key key(route.target, route.authority, route.connect_to, security,
                target.tls.root_certificates, target.tls.certificate_chain, target.tls.private_key);
  sync::MutexLock lock(mutex_);
  if (const auto it = channels_.find(key); it != channels_.end()) {
    if (std::shared_ptr<grpc::Channel> channel = it->second.lock()) return channel;
  }
  std::erase_if(channels_, [](const auto& entry) { return entry.second.expired(); });
  std::shared_ptr<grpc::Channel> channel = OwnElsewhere(grpc::CreateCustomChannel(
      route.target, CredentialsOf(target.tls, security), ChannelArgs(route)));
  channels_[key] = channel;
  return channel;
}

}  // namespace wormhole
