// A relay that echoes, and who listens to it.
#ifndef WORMHOLE_CLIENT_STREAM_TESTING_ECHO_H_
#define WORMHOLE_CLIENT_STREAM_TESTING_ECHO_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/stream/transport.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/sync/mutex.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

inline AttachRequest Post(uint64_t number) {
  AttachRequest request;
  request.mutable_post()->set_number(number);
  return request;
}

// Answers each Post{n} with Posted{n}, or with a Message{n} if it has a frame, and Close with the
// end of the stream. Notes who came.
class EchoService : public rendezvous::v1::RendezvousService::Service {
 public:
  grpc::Status Attach(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<AttachResponse, AttachRequest>* stream) override {
    {
      sync::MutexLock lock(mutex_);
      peers_.insert(context->peer());
      const auto token = context->client_metadata().find("authorization");
      token_ = token == context->client_metadata().end()
                   ? ""
                   : std::string(token->second.data(), token->second.size());
    }
    AttachRequest request;
    while (stream->Read(&request)) {
      if (request.has_close()) return Refusal();
      AttachResponse response;
      if (request.post().frame().empty()) {
        response.mutable_posted()->set_number(request.post().number());
      } else {
        response.mutable_message()->set_number(request.post().number());
        response.mutable_message()->set_frame(request.post().frame());
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  std::set<std::string> peers() const {
    sync::MutexLock lock(mutex_);
    return peers_;
  }
  std::string token() const {
    sync::MutexLock lock(mutex_);
    return token_;
  }

 private:
  static grpc::Status Refusal() {
    const absl::Status status = error::Make(error::ErrorDetail::REASON_BUSY, "come back later",
                                            {.retry_delay = absl::Seconds(7)});
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, std::string(status.message()),
                        error::ToEnvelope(status));
  }

  mutable sync::Mutex mutex_;
  std::set<std::string> peers_ WORMHOLE_GUARDED_BY(mutex_);
  std::string token_ WORMHOLE_GUARDED_BY(mutex_);
};

// Notes what it hears, and waits for it.
class Recorder : public StreamListener {
 public:
  void OnResponse(AttachResponse response) override {
    sync::MutexLock lock(mutex_);
    posted_.push_back(response.has_message() ? response.message().number()
                                             : response.posted().number());
    changed_.NotifyAll();
  }
  void OnEnd(absl::Status status) override {
    sync::MutexLock lock(mutex_);
    EXPECT_FALSE(ended_);
    ended_ = true;
    status_ = std::move(status);
    changed_.NotifyAll();
  }
  std::vector<uint64_t> AwaitPosted(size_t count) {
    sync::MutexLock lock(mutex_);
    while (posted_.size() < count) changed_.Wait(mutex_);
    return posted_;
  }
  absl::Status AwaitEnd() {
    sync::MutexLock lock(mutex_);
    while (!ended_) changed_.Wait(mutex_);
    return status_;
  }
  bool ended() const {
    sync::MutexLock lock(mutex_);
    return ended_;
  }

 private:
  mutable sync::Mutex mutex_;
  sync::CondVar changed_;
  std::vector<uint64_t> posted_ WORMHOLE_GUARDED_BY(mutex_);
  bool ended_ WORMHOLE_GUARDED_BY(mutex_) = false;
  absl::Status status_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_TESTING_ECHO_H_
