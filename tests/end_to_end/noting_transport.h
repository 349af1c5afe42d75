// gRPC, and a note of how each stream ended.
#ifndef WORMHOLE_TESTS_END_TO_END_NOTING_TRANSPORT_H_
#define WORMHOLE_TESTS_END_TO_END_NOTING_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/stream/grpc_transport.h"
#include "proto/sync/mutex.h"

namespace wormhole::testing {

// Thread-safe. Of the streams that were not abandoned.
class StreamEnds {
 public:
  void Add(absl::Status status) {
    sync::MutexLock lock(mutex_);
    ends_.push_back(std::move(status));
    added_.NotifyAll();
  }

  std::vector<absl::Status> all() const {
    sync::MutexLock lock(mutex_);
    return ends_;
  }

  // Blocks until there are so many.
  void Await(size_t count) {
    sync::MutexLock lock(mutex_);
    while (ends_.size() < count) added_.Wait(mutex_);
  }

 private:
  mutable sync::Mutex mutex_;
  sync::CondVar added_;
  std::vector<absl::Status> ends_ WORMHOLE_GUARDED_BY(mutex_);
};

class NotingTransport : public Transport {
 public:
  explicit NotingTransport(std::shared_ptr<StreamEnds> ends) : ends_(std::move(ends)) {}

  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override {
    return grpc_.Open(target, std::make_shared<Listener>(ends_, std::move(listener)));
  }

 private:
  class Listener : public StreamListener {
   public:
    Listener(std::shared_ptr<StreamEnds> ends, std::shared_ptr<StreamListener> listener)
        : ends_(std::move(ends)), listener_(std::move(listener)) {}
    void OnResponse(rendezvous::v1::AttachResponse response) override {
      listener_->OnResponse(std::move(response));
    }
    void OnEnd(absl::Status status) override {
      ends_->Add(status);
      listener_->OnEnd(std::move(status));
    }

   private:
    const std::shared_ptr<StreamEnds> ends_;
    const std::shared_ptr<StreamListener> listener_;
  };

  const std::shared_ptr<StreamEnds> ends_;
  GrpcTransport grpc_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_NOTING_TRANSPORT_H_
