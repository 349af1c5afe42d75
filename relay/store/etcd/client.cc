#include "relay/store/etcd/client.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "relay/store/etcd/client_calls.h"

namespace wormhole::relay {

using etcdserverpb::LeaseGrantRequest;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::LeaseKeepAliveResponse;
using etcdserverpb::LeaseRevokeRequest;
using etcdserverpb::LeaseRevokeResponse;
using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using etcdserverpb::WatchCreateRequest;

namespace {

// etcd refuses pings more often than every 5 s, and any without a call.
constexpr int kKeepaliveMs = 6'000;
constexpr int kKeepaliveTimeoutMs = 3'000;

// Not more often is an endpoint connected to, and its name looked up, however often calls fail.
constexpr std::chrono::milliseconds kRenewEvery(500);

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const EtcdServers& servers) {
  if (servers.tls_ca.empty() && servers.tls_cert.empty()) {
    return grpc::InsecureChannelCredentials();
  }
  return grpc::SslCredentials({.pem_root_certs = servers.tls_ca,
                               .pem_private_key = servers.tls_key,
                               .pem_cert_chain = servers.tls_cert});
}

std::shared_ptr<grpc::Channel> Connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                                       const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // etcd is near, and a proxy would see it all
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // A node of Kubernetes comes back at another address; gRPC would look it up every half minute.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1'000);
  // What is read at once is bounded by what the relay asks for.
  arguments.SetMaxReceiveMessageSize(-1);
  // Channels of one endpoint would else share a connection, and its pauses.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(endpoint, credentials, arguments);
}

// gRPC makes a status of what an HTTP server answers (404: UNIMPLEMENTED, 403: PERMISSION_DENIED).
// It is a proxy's that has no etcd, and may have one soon.
bool IsOfHttp(const grpc::Status& status) {
  return absl::StrContains(status.error_message(), "Received http2 header with status");
}

// Whether another endpoint may do better.
bool IsEndpointsFault(const grpc::Status& status) {
  if (IsOfHttp(status)) return true;
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:  // also: no leader, timed out
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return true;
    default:
      return false;
  }
}

// Tokens end with the etcd that gave them out, and when users are changed.
bool IsAboutToken(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
         absl::StrContains(status.error_message(), "etcdserver: user name is empty") ||
         absl::StrContains(status.error_message(), "etcdserver: revision of auth store is old");
}

// gRPC's own refusal of a request that is longer than etcd takes. An etcd that is full has the same
// code, and lasts.
bool IsTooLong(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
         absl::StrContains(status.error_message(), "message larger than max");
}

// What is no etcd may say anything, and it goes to the log and, when it ends the relay, to a
// terminal.
std::string OnOneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return text;
}

// As callers know it.
absl::StatusCode CodeOf(const grpc::Status& status, bool has_user) {
  if (IsOfHttp(status)) return absl::StatusCode::kUnavailable;
  if (IsAboutToken(status)) {
    return has_user ? absl::StatusCode::kUnavailable : absl::StatusCode::kUnauthenticated;
  }
  if (IsTooLong(status)) return absl::StatusCode::kInvalidArgument;
  return static_cast<absl::StatusCode>(status.error_code());
}

}  // namespace

EtcdClient::EtcdClient(EtcdServers servers)
    : credentials_(CredentialsOf(servers)),
      user_(std::move(servers.user)),
      password_(std::move(servers.password)),
      endpoint_count_(servers.endpoints.size()) {
  for (const std::string& endpoint : servers.endpoints) {
    endpoints_.push_back(MakeEndpoint(endpoint));
  }
}

std::shared_ptr<EtcdClient::Endpoint> EtcdClient::MakeEndpoint(const std::string& name) const {
  const std::shared_ptr<grpc::Channel> channel = Connect(credentials_, name);
  auto endpoint = std::make_shared<Endpoint>();
  *endpoint = {.name = name,
               .made_at = std::chrono::steady_clock::now(),
               .channel = channel,
               .kv = etcdserverpb::KV::NewStub(channel),
               .lease = etcdserverpb::Lease::NewStub(channel),
               .watch = etcdserverpb::Watch::NewStub(channel),
               .auth = etcdserverpb::Auth::NewStub(channel)};
  return endpoint;
}

std::shared_ptr<EtcdClient::Endpoint> EtcdClient::RenewNext() {
  std::shared_ptr<Endpoint>& next = endpoints_[current_];
  if (std::chrono::steady_clock::now() - next->made_at < kRenewEvery) return nullptr;
  if (next->channel->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_TRANSIENT_FAILURE) {
    return nullptr;
  }
  std::shared_ptr<Endpoint> unneeded = std::move(next->before);
  std::shared_ptr<Endpoint> renewed = MakeEndpoint(next->name);
  renewed->before = std::exchange(next, renewed);
  return unneeded;
}

void EtcdClient::Stop() {
  sync::MutexLock lock(mutex_);
  stopping_ = true;
  for (Call* call : calls_) call->context.TryCancel();
  while (running_ != 0) idle_.Wait(mutex_);
}

bool EtcdClient::Begin(Call& call) {
  sync::MutexLock lock(mutex_);
  if (stopping_) return false;
  call.endpoint = endpoints_[current_];
  // A member without a leader would let the call wait, and a watch be silent; so it says so.
  call.context.AddMetadata("hasleader", "true");
  if (!token_.empty()) call.context.AddMetadata("token", token_);
  calls_.insert(&call);
  ++running_;
  return true;
}

absl::Status EtcdClient::End(Call& call, const grpc::Status& status) {
  std::shared_ptr<Endpoint> unneeded;
  sync::MutexLock lock(mutex_);
  calls_.erase(&call);
  if (status.ok()) return absl::OkStatus();
  if (IsEndpointsFault(status) && call.endpoint == endpoints_[current_]) {
    current_ = (current_ + 1) % endpoints_.size();
    unneeded = RenewNext();
  }
  if (IsAboutToken(status)) token_.clear();
  return absl::Status(
      CodeOf(status, !user_.empty()),
      absl::StrCat("etcd at ", call.endpoint->name, ": ", OnOneLine(status.error_message())));
}

void EtcdClient::Leave() {
  sync::MutexLock lock(mutex_);
  if (--running_ == 0) idle_.NotifyAll();
}

void EtcdClient::Start(std::unique_ptr<Call> call) {
  bool wanted = false;
  {
    sync::MutexLock lock(mutex_);
    wanted = !user_.empty() && token_.empty();
  }
  if (wanted) call = std::make_unique<TokenCall>(this, std::move(call));
  Run(std::move(call));
}

void EtcdClient::Run(std::unique_ptr<Call> call) {
  if (!Begin(*call)) return call->OnEnd(absl::CancelledError("the client of etcd has stopped"));
  call.release()->Go();
}

void EtcdClient::TakeToken(const std::string& token) {
  sync::MutexLock lock(mutex_);
  token_ = token;
}

template <typename Request, typename Response, typename Send>
void EtcdClient::Unary(Send send, std::shared_ptr<const Request> request, Done<Response> done) {
  Start(std::make_unique<UnaryCall<Request, Response>>(this, send, std::move(request),
                                                       std::move(done)));
}

void EtcdClient::Txn(std::shared_ptr<const TxnRequest> request, Done<TxnResponse> done) {
  Unary([](const Endpoint& at, auto... call) { at.kv->async()->Txn(call...); }, std::move(request),
        std::move(done));
}

void EtcdClient::Range(RangeRequest request, Done<RangeResponse> done) {
  Unary([](const Endpoint& at, auto... call) { at.kv->async()->Range(call...); },
        std::make_shared<const RangeRequest>(std::move(request)), std::move(done));
}

void EtcdClient::Grant(int64_t ttl_seconds, Done<LeaseGrantResponse> done) {
  LeaseGrantRequest request;
  request.set_ttl(ttl_seconds);
  Unary([](const Endpoint& at, auto... call) { at.lease->async()->LeaseGrant(call...); },
        std::make_shared<const LeaseGrantRequest>(std::move(request)), std::move(done));
}

void EtcdClient::Revoke(int64_t lease, Done<LeaseRevokeResponse> done) {
  LeaseRevokeRequest request;
  request.set_id(lease);
  Unary([](const Endpoint& at, auto... call) { at.lease->async()->LeaseRevoke(call...); },
        std::make_shared<const LeaseRevokeRequest>(std::move(request)), std::move(done));
}

void EtcdClient::KeepAlive(int64_t lease, Done<LeaseKeepAliveResponse> done) {
  Start(std::make_unique<KeepAliveCall>(this, lease, std::move(done)));
}

void EtcdClient::Watch(WatchCreateRequest request, OnWatched on_response, OnEnd on_end) {
  Start(std::make_unique<WatchCall>(this, std::move(request), std::move(on_response),
                                    std::move(on_end)));
}

}  // namespace wormhole::relay
