// A call with one request and one answer that is seen from its head on.
#ifndef WORMHOLE_RELAY_GRPC_UNARY_CALL_H_
#define WORMHOLE_RELAY_GRPC_UNARY_CALL_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "relay/grpc/call_limit.h"

namespace wormhole::relay {

// What serves a method as a stream in both directions, which looks the same on the wire. Calls of
// the methods that gRPC's generator makes are shown by gRPC only once their request is here: those
// whose request never comes would be counted and ended by nobody, and one connection can have as
// many of them as it likes, since gRPC holds to its limit on streams only who acknowledges it.
using StreamReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// For a client that has sent none, or something else.
inline grpc::Status NoSuchRequest() {
  return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "this is no request of this method");
}

template <typename Message>
bool ParseFrom(grpc::ByteBuffer& bytes, Message& message) {
  return grpc::SerializationTraits<Message>::Deserialize(&bytes, &message).ok();
}

template <typename Message>
grpc::ByteBuffer BytesOf(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  // It fails only beyond two gigabytes.
  grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own).ok();
  return bytes;
}

// Thread-safe. Whoever is to answer keeps a pointer to it; the call may be over before.
template <typename Request, typename Response>
class UnaryCall final : public StreamReactor,
                        public std::enable_shared_from_this<UnaryCall<Request, Response>> {
 public:
  // The request is here: to be answered now or later. On a thread of gRPC.
  using Handler = std::function<void(const Request&, const std::shared_ptr<UnaryCall>&)>;

  // What gRPC is given for the call. `place` is held until the call is over.
  static StreamReactor* Begin(std::unique_ptr<CallLimit::Place> place, Handler handler) {
    const auto call = std::make_shared<UnaryCall>(std::move(place), std::move(handler));
    call->self_ = call;
    call->StartRead(&call->request_);
    return call.get();
  }

  UnaryCall(std::unique_ptr<CallLimit::Place> place, Handler handler)
      : handler_(std::move(handler)), place_(std::move(place)) {}

  // The first of these ends the call, unless the client has gone before.
  void Answer(const Response& response) {
    if (!First()) return;
    response_ = BytesOf(response);
    this->StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void End(grpc::Status status) {
    if (First()) this->Finish(std::move(status));
  }

  void OnReadDone(bool ok) override {
    Request request;
    if (!ok || !ParseFrom(request_, request)) return End(NoSuchRequest());
    asked_ = true;
    request_.Clear();
    handler_(request, this->shared_from_this());
  }
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override {
    if (!asked_) place_->NoteAbandoned();
    place_.reset();
    const std::shared_ptr<UnaryCall> alive = std::move(self_);
  }

 private:
  bool First() { return !ended_.exchange(true); }

  const Handler handler_;
  std::unique_ptr<CallLimit::Place> place_;
  bool asked_ = false;               // of gRPC's reactions
  grpc::ByteBuffer request_;         // gRPC's until OnReadDone
  grpc::ByteBuffer response_;        // gRPC's from Answer on
  std::shared_ptr<UnaryCall> self_;  // from Begin to OnDone
  std::atomic<bool> ended_ = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_GRPC_UNARY_CALL_H_
