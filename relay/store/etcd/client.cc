#include "relay/store/etcd/client.h"

#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "relay/store/etcd/client_calls.h"

namespace wormhole::relay {

using etcdserverpb::AuthenticateRequest;
using etcdserverpb::AuthenticateResponse;
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
using etcdserverpb::WatchResponse;

namespace {

// etcd refuses pings more often than every 5 s, and any without a call.
constexpr int kKeepaliveMs = 6'000;
constexpr int kKeepaliveTimeoutMs = 3'000;

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const EtcdServers& servers) {
  if (servers.tls_ca.empty() && servers.tls_cert.empty()) {
    return grpc::InsecureChannelCredentials();
  }
  return grpc::SslCredentials({.pem_root_certs = servers.tls_ca,
                               .pem_private_key = servers.tls_key,
                               .pem_cert_chain = servers.tls_cert});
}

std::shared_ptr<grpc::Channel> Connect(const EtcdServers& servers, const std::string& endpoint) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // etcd is near, and a proxy would see it all
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // What is read at once is bounded by what the relay asks for.
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(endpoint, CredentialsOf(servers), arguments);
}

// Whether another endpoint may do better.
bool IsEndpointsFault(grpc::StatusCode code) {
  switch (code) {
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

absl::Status Stopped() { return absl::CancelledError("the client of etcd has stopped"); }

}  // namespace

EtcdClient::EtcdClient(EtcdServers servers)
    : user_(std::move(servers.user)), password_(std::move(servers.password)) {
  for (const std::string& endpoint : servers.endpoints) {
    const std::shared_ptr<grpc::Channel> channel = Connect(servers, endpoint);
    endpoints_.push_back({.name = endpoint,
                          .kv = etcdserverpb::KV::NewStub(channel),
                          .lease = etcdserverpb::Lease::NewStub(channel),
                          .watch = etcdserverpb::Watch::NewStub(channel),
                          .auth = etcdserverpb::Auth::NewStub(channel)});
  }
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
  call.endpoint = &endpoints_[current_];
  // A member without a leader would let the call wait, and a watch be silent; so it says so.
  call.context.AddMetadata("hasleader", "true");
  if (!token_.empty()) call.context.AddMetadata("token", token_);
  calls_.insert(&call);
  ++running_;
  return true;
}

absl::Status EtcdClient::End(Call& call, const grpc::Status& status) {
  sync::MutexLock lock(mutex_);
  calls_.erase(&call);
  if (status.ok()) return absl::OkStatus();
  if (IsEndpointsFault(status.error_code()) && call.endpoint == &endpoints_[current_]) {
    current_ = (current_ + 1) % endpoints_.size();
  }
  const bool unknown_to_it = IsAboutToken(status);
  if (unknown_to_it) token_.clear();
  return absl::Status(unknown_to_it ? absl::StatusCode::kUnauthenticated
                                    : static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat("etcd at ", call.endpoint->name, ": ", status.error_message()));
}

void EtcdClient::Leave() {
  sync::MutexLock lock(mutex_);
  if (--running_ == 0) idle_.NotifyAll();
}

void EtcdClient::WithToken(std::function<void(const absl::Status&)> go) {
  bool wanted = false;
  {
    sync::MutexLock lock(mutex_);
    wanted = !user_.empty() && token_.empty();
  }
  if (!wanted) return go(absl::OkStatus());
  auto* const call = new UnaryCall<AuthenticateResponse>(
      this, [this, go](const absl::StatusOr<AuthenticateResponse>& answer) {
        if (answer.ok()) {
          sync::MutexLock lock(mutex_);
          token_ = answer->token();
        }
        // A wrong password is INVALID_ARGUMENT to etcd; to callers that is a request of theirs.
        go(absl::IsInvalidArgument(answer.status())
               ? absl::UnauthenticatedError(answer.status().message())
               : answer.status());
      });
  if (!Begin(*call)) {
    delete call;
    return go(Stopped());
  }
  auto request = std::make_shared<AuthenticateRequest>();
  request->set_name(user_);
  request->set_password(password_);
  call->context.set_deadline(std::chrono::system_clock::now() + kEtcdDeadline);
  call->endpoint->auth->async()->Authenticate(
      &call->context, request.get(), &call->response,
      [call, request](const grpc::Status& status) { call->Done(status); });
}

template <typename Response, typename Start>
void EtcdClient::Unary(Start start, Done<Response> done) {
  WithToken([this, start = std::move(start), done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) return done(status);
    auto* const call = new UnaryCall<Response>(this, done);
    if (!Begin(*call)) {
      delete call;
      return done(Stopped());
    }
    call->context.set_deadline(std::chrono::system_clock::now() + kEtcdDeadline);
    start(call, [call](const grpc::Status& ended) { call->Done(ended); });
  });
}

void EtcdClient::Txn(TxnRequest request, Done<TxnResponse> done) {
  Unary<TxnResponse>(
      [request = std::make_shared<TxnRequest>(std::move(request))](auto* call, auto ended) {
        call->endpoint->kv->async()->Txn(
            &call->context, request.get(), &call->response,
            [request, ended](const grpc::Status& status) { ended(status); });
      },
      std::move(done));
}

void EtcdClient::Range(RangeRequest request, Done<RangeResponse> done) {
  Unary<RangeResponse>(
      [request = std::make_shared<RangeRequest>(std::move(request))](auto* call, auto ended) {
        call->endpoint->kv->async()->Range(
            &call->context, request.get(), &call->response,
            [request, ended](const grpc::Status& status) { ended(status); });
      },
      std::move(done));
}

void EtcdClient::Grant(int64_t ttl_seconds, Done<LeaseGrantResponse> done) {
  auto request = std::make_shared<LeaseGrantRequest>();
  request->set_ttl(ttl_seconds);
  Unary<LeaseGrantResponse>(
      [request](auto* call, auto ended) {
        call->endpoint->lease->async()->LeaseGrant(
            &call->context, request.get(), &call->response,
            [request, ended](const grpc::Status& status) { ended(status); });
      },
      std::move(done));
}

void EtcdClient::Revoke(int64_t lease, Done<LeaseRevokeResponse> done) {
  auto request = std::make_shared<LeaseRevokeRequest>();
  request->set_id(lease);
  Unary<LeaseRevokeResponse>(
      [request](auto* call, auto ended) {
        call->endpoint->lease->async()->LeaseRevoke(
            &call->context, request.get(), &call->response,
            [request, ended](const grpc::Status& status) { ended(status); });
      },
      std::move(done));
}

void EtcdClient::KeepAlive(int64_t lease, Done<LeaseKeepAliveResponse> done) {
  WithToken([this, lease, done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) return done(status);
    auto* const call = new KeepAliveCall(this, lease, done);
    if (!Begin(*call)) {
      delete call;
      return done(Stopped());
    }
    call->Start();
  });
}

void EtcdClient::Watch(WatchCreateRequest request,
                       std::function<void(const WatchResponse&)> on_response,
                       std::function<void(const absl::Status&)> on_end) {
  WithToken([this, request = std::move(request), on_response = std::move(on_response),
             on_end = std::move(on_end)](const absl::Status& status) {
    if (!status.ok()) return on_end(status);
    auto* const call = new WatchCall(this, request, on_response, on_end);
    if (!Begin(*call)) {
      delete call;
      return on_end(Stopped());
    }
    call->Start();
  });
}

}  // namespace wormhole::relay
