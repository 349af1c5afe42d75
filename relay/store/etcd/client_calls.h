// The calls of EtcdClient while they are under way. Each owns itself from its start to its end.
#ifndef WORMHOLE_RELAY_STORE_ETCD_CLIENT_CALLS_H_
#define WORMHOLE_RELAY_STORE_ETCD_CLIENT_CALLS_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
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

  // Has begun: goes to `endpoint`, and ends with Finish.
  virtual void Go() = 0;
  // Tells of the end, once: also of a call that never begins.
  virtual void OnEnd(const absl::Status& status) = 0;

  grpc::ClientContext context;
  std::shared_ptr<const Endpoint> endpoint;

 protected:
  EtcdClient* client() const { return client_; }
  void SetDeadline() { context.set_deadline(std::chrono::system_clock::now() + kEtcdDeadline); }
  // The last thing that a call does that has begun.
  void Finish(const grpc::Status& status) {
    EtcdClient* const client = client_;
    OnEnd(client->End(*this, status));
    delete this;
    client->Leave();
  }

 private:
  EtcdClient* const client_;
};

template <typename Request, typename Response>
class EtcdClient::UnaryCall final : public Call {
 public:
  using Send = void (*)(const Endpoint&, grpc::ClientContext*, const Request*, Response*,
                        std::function<void(grpc::Status)>);

  UnaryCall(EtcdClient* client, Send send, std::shared_ptr<const Request> request,
            Done<Response> done)
      : Call(client), send_(send), request_(std::move(request)), done_(std::move(done)) {}

  void Go() override {
    SetDeadline();
    send_(*endpoint, &context, request_.get(), &response_,
          [this](const grpc::Status& status) { Finish(status); });
  }

  void OnEnd(const absl::Status& status) override {
    done_(status.ok() ? absl::StatusOr<Response>(std::move(response_)) : status);
  }

 private:
  const Send send_;
  const std::shared_ptr<const Request> request_;
  Response response_;
  const Done<Response> done_;
};

// Before another call: it begins when the token is here.
class EtcdClient::TokenCall final : public Call {
 public:
  TokenCall(EtcdClient* client, std::unique_ptr<Call> next) : Call(client), next_(std::move(next)) {
    request_.set_name(client->user_);
    request_.set_password(client->password_);
  }

  void Go() override {
    SetDeadline();
    endpoint->auth->async()->Authenticate(&context, &request_, &response_,
                                          [this](const grpc::Status& status) { Finish(status); });
  }

  void OnEnd(const absl::Status& status) override {
    if (status.ok()) {
      client()->TakeToken(response_.token());
      return client()->Run(std::move(next_));
    }
    // A wrong password is INVALID_ARGUMENT to etcd; to callers that is a request of theirs. An etcd
    // that asks for none says FAILED_PRECONDITION.
    const bool refused = absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
    next_->OnEnd(refused ? absl::UnauthenticatedError(status.message()) : status);
  }

 private:
  std::unique_ptr<Call> next_;
  etcdserverpb::AuthenticateRequest request_;
  etcdserverpb::AuthenticateResponse response_;
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

  void Go() override {
    SetDeadline();
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
    Finish(answered_ ? grpc::Status::OK : status);
  }

  void OnEnd(const absl::Status& status) override {
    if (!status.ok()) return done_(status);
    if (response_.ttl() <= 0) return done_(absl::NotFoundError("the lease is gone"));
    done_(response_);
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
            EtcdClient::OnWatched on_response, EtcdClient::OnEnd on_end)
      : Call(client), on_response_(std::move(on_response)), on_end_(std::move(on_end)) {
    *request_.mutable_create_request() = std::move(request);
  }

  void Go() override {
    endpoint->watch->async()->Watch(&context, this);
    StartWrite(&request_);
    StartRead(&response_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const bool go_on = on_response_(response_);
    if (!go_on || response_.canceled()) {
      context.TryCancel();
    } else {
      StartRead(&response_);
    }
  }

  void OnDone(const grpc::Status& status) override { Finish(status); }
  void OnEnd(const absl::Status& status) override { on_end_(status); }

 private:
  etcdserverpb::WatchRequest request_;
  etcdserverpb::WatchResponse response_;
  const EtcdClient::OnWatched on_response_;
  const EtcdClient::OnEnd on_end_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_CLIENT_CALLS_H_
