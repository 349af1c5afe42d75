// The calls of etcd that the relay makes, over gRPC: several endpoints, TLS, authentication.
//
// One endpoint is used for everything; one that fails is left for the next. Nothing is tried again
// here: after an error nothing is known of a transaction's effect, and the caller looks.
//
// UNAUTHENTICATED is what etcd says of the name and the password; that a token has ended is
// UNAVAILABLE, since the next call gets another one.
#ifndef WORMHOLE_RELAY_STORE_ETCD_CLIENT_H_
#define WORMHOLE_RELAY_STORE_ETCD_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "etcd_rpc.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

struct EtcdServers {
  std::vector<std::string> endpoints;  // HOST:PORT, at least one
  // PEM, not files. All empty: plaintext. Without a certificate of our own: server TLS alone.
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  // Empty: no authentication. gRPC takes the password as a std::string only.
  std::string user;
  std::string password;
};

// Thread-safe. `done` and `on_...` run on gRPC's threads, inside the call only after Stop.
class EtcdClient {
 public:
  template <typename Response>
  using Done = std::function<void(absl::StatusOr<Response>)>;

  explicit EtcdClient(EtcdServers servers);
  ~EtcdClient() { Stop(); }

  // Cancels what is under way and waits until all its callbacks have returned. Calls made later are
  // answered CANCELLED. Not to be called from a callback.
  void Stop() WORMHOLE_EXCLUDES(mutex_);

  void Txn(etcdserverpb::TxnRequest request, Done<etcdserverpb::TxnResponse> done);
  void Range(etcdserverpb::RangeRequest request, Done<etcdserverpb::RangeResponse> done);
  void Grant(int64_t ttl_seconds, Done<etcdserverpb::LeaseGrantResponse> done);
  void Revoke(int64_t lease, Done<etcdserverpb::LeaseRevokeResponse> done);
  // Renews a lease once. NOT_FOUND when it is gone.
  void KeepAlive(int64_t lease, Done<etcdserverpb::LeaseKeepAliveResponse> done);
  // `on_response` runs for each answer, in order; `on_end` once, when the watch is over. A watch
  // ends when the endpoint has lost its leader.
  void Watch(etcdserverpb::WatchCreateRequest request,
             std::function<void(const etcdserverpb::WatchResponse&)> on_response,
             std::function<void(const absl::Status&)> on_end);

 private:
  struct Endpoint {
    std::string name;
    std::chrono::steady_clock::time_point made_at;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<etcdserverpb::KV::Stub> kv;
    std::unique_ptr<etcdserverpb::Lease::Stub> lease;
    std::unique_ptr<etcdserverpb::Watch::Stub> watch;
    std::unique_ptr<etcdserverpb::Auth::Stub> auth;
    // The one that this one has replaced. gRPC ends its callback threads with the last channel that
    // has used them, and waits for them, which none of them may do for itself: so a channel goes
    // only when another one has been used.
    std::shared_ptr<Endpoint> before;
  };
  // One call: its context, where it goes, and what is told of its end.
  class Call;
  template <typename Request, typename Response>
  class UnaryCall;
  class TokenCall;
  class KeepAliveCall;
  class WatchCall;

  template <typename Request, typename Response, typename Send>
  void Unary(Send send, Request request, Done<Response> done);
  // Runs the call once there is a token, or none is needed.
  void Start(std::unique_ptr<Call> call) WORMHOLE_EXCLUDES(mutex_);
  // The one place where a call begins, and is its own from then on; or is told that it does not.
  void Run(std::unique_ptr<Call> call) WORMHOLE_EXCLUDES(mutex_);
  void TakeToken(const std::string& token) WORMHOLE_EXCLUDES(mutex_);
  // False when the client has stopped.
  bool Begin(Call& call) WORMHOLE_EXCLUDES(mutex_);
  // The call's status, as values have it. Moves on when the endpoint is at fault.
  absl::Status End(Call& call, const grpc::Status& status) WORMHOLE_EXCLUDES(mutex_);
  std::shared_ptr<Endpoint> MakeEndpoint(const std::string& name) const;
  // Makes the endpoint that comes next anew if it has failed: it is connected to when a call goes
  // there, and not when gRPC's pauses are over, up to a second after a failed connection and up to
  // two minutes after a name that did not resolve. Returns what nobody needs any more, to be
  // destroyed without the lock.
  std::shared_ptr<Endpoint> RenewNext() WORMHOLE_REQUIRES(mutex_);
  // The last step of a call, which uses this object no more: Stop waits for it.
  void Leave() WORMHOLE_EXCLUDES(mutex_);

  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  const std::string user_;
  const std::string password_;

  sync::Mutex mutex_;
  sync::CondVar idle_;
  // The calls that are under way keep the endpoint that they have begun at.
  std::vector<std::shared_ptr<Endpoint>> endpoints_ WORMHOLE_GUARDED_BY(mutex_);
  size_t current_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::string token_ WORMHOLE_GUARDED_BY(mutex_);
  std::set<Call*> calls_ WORMHOLE_GUARDED_BY(mutex_);
  int running_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool stopping_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_CLIENT_H_
