// gRPC, and a note of how far the peer has accepted this side's log, as this side was told.
#ifndef WORMHOLE_TESTS_END_TO_END_CURSOR_TRANSPORT_H_
#define WORMHOLE_TESTS_END_TO_END_CURSOR_TRANSPORT_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "client/stream/grpc_transport.h"
#include "proto/sync/mutex.h"

namespace wormhole::testing {

// Of one exchange. Thread-safe.
class CursorTransport : public Transport {
 public:
  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override {
    return grpc_.Open(target, std::make_shared<Listener>(told_, std::move(listener)));
  }

  // Blocks until the side was told of a cursor as far as this; it deals with that before it deals
  // with anything that comes later.
  void Await(uint64_t cursor) {
    sync::MutexLock lock(told_->mutex);
    while (told_->cursor < cursor) told_->changed.Wait(told_->mutex);
  }

 private:
  struct Told {
    sync::Mutex mutex;
    sync::CondVar changed;
    uint64_t cursor WORMHOLE_GUARDED_BY(mutex) = 0;
  };

  class Listener : public StreamListener {
   public:
    Listener(std::shared_ptr<Told> told, std::shared_ptr<StreamListener> listener)
        : told_(std::move(told)), listener_(std::move(listener)) {}

    void OnResponse(rendezvous::v1::AttachResponse response) override {
      const uint64_t cursor = response.has_opened() ? response.opened().peer_cursor()
                                                    : response.peer_status().peer_cursor();
      listener_->OnResponse(std::move(response));
      sync::MutexLock lock(told_->mutex);
      told_->cursor = std::max(told_->cursor, cursor);
      told_->changed.NotifyAll();
    }
    void OnEnd(absl::Status status) override { listener_->OnEnd(std::move(status)); }

   private:
    const std::shared_ptr<Told> told_;
    const std::shared_ptr<StreamListener> listener_;
  };

  const std::shared_ptr<Told> told_ = std::make_shared<Told>();
  GrpcTransport grpc_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_CURSOR_TRANSPORT_H_
