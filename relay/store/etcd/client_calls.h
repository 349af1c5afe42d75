// The calls of EtcdClient while they are under way. Each owns itself from its start to its end.
#ifndef WORMHOLE_RELAY_STORE_ETCD_CLIENT_CALLS_H_
#define WORMHOLE_RELAY_STORE_ETCD_CLIENT_CALLS_H_

#include <chrono>
#include <functional>
#include <utility>

#include "relay/store/etcd/client.h"

namespace wormhole::relay {

// An etcd that has a leader answers within milliseconds. What was on its way to a leader that died
// is lost, and there is another one after about so long; a node that is cut off is left after it.
inline constexpr std::chrono::seconds kEtcdDeadline(2);

class EtcdClient::Call {
 public:
  explicit Call(EtcdClient* client) : client_(client) {}
  virtual ~Call() = default;

  grpc::ClientContext context;
  const Endpoint* endpoint = nullptr;

 protected:
  EtcdClient* const client_;
};

template <typename Response>
class EtcdClient::UnaryCall : public Call {
 public:
  UnaryCall(EtcdClient* client, Done<Response> done) : Call(client), done_(std::move(done)) {}

  void Done(const grpc::Status& status) {
    EtcdClient* const client = client_;
    const absl::Status ended = client->End(*this, status);
    done_(ended.ok() ? absl::StatusOr<Response>(std::move(response)) : ended);
    delete this;
    client->Leave();
  }

  Response response;

 private:
  EtcdClient::Done<Response> done_;
};

// A stream of one request and one answer: etcd has no other way to renew a lease.
class EtcdClient::KeepAliveCall final
    : public Call,
      public grpc::ClientBidiReactor<etcdserverpb::LeaseKeepAliveRequest,
                                     etcdserverpb::LeaseKeepAliveResponse> {
 public:
  KeepAliveCall(EtcdClient* client, int64_t lease,
                EtcdClient::Done<etcdserverpb::LeaseKeepAliveResponse> done)
      : Call(client), done_(std::move(done)) {
    request_.set_id(lease);
  }

  void Start() {
    context.set_deadline(std::chrono::system_clock::now() + kEtcdDeadline);
    endpoint->lease->async()->LeaseKeepAlive(&context, this);
    StartWriteLast(&request_, grpc::WriteOptions());
    StartRead(&response_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    answered_ = answered_ || ok;
    // etcd ends a stream of renewals only when its client does.
    if (ok) context.TryCancel();
  }

  void OnDone(const grpc::Status& status) override {
    EtcdClient* const client = client_;
    absl::Status ended = client->End(*this, answered_ ? grpc::Status::OK : status);
    if (ended.ok() && response_.ttl() <= 0) ended = absl::NotFoundError("the lease is gone");
    done_(ended.ok() ? absl::StatusOr<etcdserverpb::LeaseKeepAliveResponse>(response_) : ended);
    delete this;
    client->Leave();
  }

 private:
  etcdserverpb::LeaseKeepAliveRequest request_;
  etcdserverpb::LeaseKeepAliveResponse response_;
  bool answered_ = false;
  EtcdClient::Done<etcdserverpb::LeaseKeepAliveResponse> done_;
};

class EtcdClient::WatchCall final
    : public Call,
      public grpc::ClientBidiReactor<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse> {
 public:
  WatchCall(EtcdClient* client, etcdserverpb::WatchCreateRequest request,
            std::function<void(const etcdserverpb::WatchResponse&)> on_response,
            std::function<void(const absl::Status&)> on_end)
      : Call(client), on_response_(std::move(on_response)), on_end_(std::move(on_end)) {
    *request_.mutable_create_request() = std::move(request);
  }

  void Start() {
    endpoint->watch->async()->Watch(&context, this);
    StartWrite(&request_);
    StartRead(&response_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    on_response_(response_);
    if (response_.canceled()) {
      context.TryCancel();
    } else {
      StartRead(&response_);
    }
  }

  void OnDone(const grpc::Status& status) override {
    EtcdClient* const client = client_;
    const absl::Status ended = client->End(*this, status);
    on_end_(ended);
    delete this;
    client->Leave();
  }

 private:
  etcdserverpb::WatchRequest request_;
  etcdserverpb::WatchResponse response_;
  std::function<void(const etcdserverpb::WatchResponse&)> on_response_;
  std::function<void(const absl::Status&)> on_end_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_CLIENT_CALLS_H_
