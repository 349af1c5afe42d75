// etcd over gRPC: several endpoints, TLS, authentication.
//
// One endpoint is used for everything; one that fails is left for the next. That a token has ended
// is UNAVAILABLE, since the next call gets another one.
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
#include "relay/store/etcd/api.h"
#include "relay/store/etcd/servers.h"

namespace wormhole::relay {

// Callbacks run on gRPC's threads.
class EtcdClient final : public EtcdApi {
 public:
  explicit EtcdClient(EtcdServers servers);
  ~EtcdClient() override { Stop(); }

  size_t endpoints() const override { return endpoint_count_; }
  void Stop() override WORMHOLE_EXCLUDES(mutex_);
  void Txn(std::shared_ptr<const etcdserverpb::TxnRequest> request,
           Done<etcdserverpb::TxnResponse> done) override;
  void Range(etcdserverpb::RangeRequest request, Done<etcdserverpb::RangeResponse> done) override;
  void Grant(int64_t ttl_seconds, Done<etcdserverpb::LeaseGrantResponse> done) override;
  void Revoke(int64_t lease, Done<etcdserverpb::LeaseRevokeResponse> done) override;
  void KeepAlive(int64_t lease, Done<etcdserverpb::LeaseKeepAliveResponse> done) override;
  void Watch(etcdserverpb::WatchCreateRequest request, OnWatched on_response,
             OnEnd on_end) override;

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
  void Unary(Send send, std::shared_ptr<const Request> request, Done<Response> done);
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
  const size_t endpoint_count_;

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
