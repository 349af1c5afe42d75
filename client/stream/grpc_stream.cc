#include "client/stream/grpc_stream.h"

#include <grpcpp/channel.h>

#include <utility>

#include "proto/error/error_detail.h"

namespace wormhole {

using rendezvous::v1::AttachRequest;

std::shared_ptr<GrpcStream> GrpcStream::Start(Dependencies dependencies,
                                              const std::string& bearer_token,
                                              std::shared_ptr<StreamListener> listener) {
  std::shared_ptr<GrpcStream> stream(new GrpcStream(std::move(dependencies), std::move(listener)));
  if (!bearer_token.empty()) {
    stream->context_.AddMetadata("authorization", "Bearer " + bearer_token);
  }
  {
    sync::MutexLock lock(stream->mutex_);
    stream->self_ = stream;
  }
  stream->stub_->async()->Attach(&stream->context_, stream.get());
  stream->AddHold();
  stream->StartRead(&stream->response_);
  stream->StartCall();
  return stream;
}

GrpcStream::GrpcStream(Dependencies dependencies, std::shared_ptr<StreamListener> listener)
    : dependencies_(std::move(dependencies)),
      stub_(rendezvous::v1::RendezvousService::NewStub(dependencies_.channel)),
      listener_(std::move(listener)) {}

void GrpcStream::Send(AttachRequest request) {
  sync::MutexLock lock(mutex_);
  if (!held_) return;
  queue_.push_back(std::move(request));
  if (!writing_) WriteNext();
}

void GrpcStream::WriteNext() {
  writing_ = held_ && !queue_.empty();
  if (writing_) StartWrite(&queue_.front());
}

void GrpcStream::ReadMore() {
  sync::MutexLock lock(mutex_);
  if (held_) StartRead(&response_);
}

// Removes the hold once, when the stream has ended or is abandoned. gRPC never runs OnDone inside
// RemoveHold, so the caller may hold the lock.
void GrpcStream::GiveBackHold() {
  if (!held_) return;
  held_ = false;
  RemoveHold();
}

void GrpcStream::Distrust() { dependencies_.channels->Forget(dependencies_.channel); }

void GrpcStream::Abandon() {
  std::shared_ptr<StreamListener> listener;  // outlives the lock
  {
    sync::MutexLock lock(mutex_);
    listener.swap(listener_);
    if (!held_) return;
  }
  // Without the lock: cancelling may run OnDone of a call that is nearly done on this thread.
  context_.TryCancel();
  sync::MutexLock lock(mutex_);
  GiveBackHold();
}

void GrpcStream::OnReadDone(bool ok) {
  std::shared_ptr<StreamListener> listener;
  bool first = false;
  {
    sync::MutexLock lock(mutex_);
    listener = listener_;
    if (ok) {
      first = !std::exchange(answered_, true);
    } else {
      GiveBackHold();
    }
  }
  if (first) dependencies_.explainer->NoteAnswer(dependencies_.way);
  if (ok && listener != nullptr) listener->OnResponse(std::move(response_));
}

void GrpcStream::OnWriteDone(bool ok) {
  sync::MutexLock lock(mutex_);
  writing_ = false;
  queue_.pop_front();
  if (ok) WriteNext();  // else the read fails too and ends the stream
}

void GrpcStream::OnDone(const grpc::Status& status) {
  std::shared_ptr<GrpcStream> self;  // destroyed last: it may be the last reference
  bool answered = false;
  {
    sync::MutexLock lock(mutex_);
    self.swap(self_);
    answered = answered_;
  }
  // gRPC takes the details from the trailing metadata `grpc-status-details-bin`.
  absl::Status end =
      error::FromWire(status.error_code(), status.error_message(), status.error_details());
  // gRPC says UNAVAILABLE by itself, too, when it has reached no relay.
  const bool unreached = !answered && status.error_code() == grpc::StatusCode::UNAVAILABLE &&
                         !error::DetailOf(end).has_value();
  if (!unreached) return TellEnd(std::move(end));
  dependencies_.explainer->Explain(
      dependencies_.way, std::move(end),
      [self](absl::Status explained) { self->TellEnd(std::move(explained)); });
}

void GrpcStream::TellEnd(absl::Status status) {
  std::shared_ptr<StreamListener> listener;
  {
    sync::MutexLock lock(mutex_);
    listener.swap(listener_);
  }
  if (listener != nullptr) listener->OnEnd(std::move(status));
}

}  // namespace wormhole
