// The lock of a live channel, and what has to happen once the lock is given back.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_LOCKED_EFFECTS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_LOCKED_EFFECTS_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "proto/sync/mutex.h"
#include "relay/store/store.h"
#include "relay/switchboard/observer.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {

// Holds `mutex` as long as it lives. Then it flushes the streams that were touched, runs what was
// deferred, tells the observer, and flushes the store if it was called. Each of these may call back
// into the channel, so none of it may happen under the lock. The streams come first: clients wait
// for what they write.
class WORMHOLE_SCOPED_CAPABILITY LockedEffects {
 public:
  explicit LockedEffects(sync::Mutex& mutex) WORMHOLE_ACQUIRE(mutex) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~LockedEffects() WORMHOLE_RELEASE() {
    mutex_.Unlock();
    for (const auto& stream : touched_) stream->Flush();
    for (const auto& work : deferred_) work();
    for (const auto& event : events_) observer_->OnEvent(event);
    if (called_ != nullptr) called_->Flush();
  }
  LockedEffects(const LockedEffects&) = delete;
  LockedEffects& operator=(const LockedEffects&) = delete;

  void Send(const std::shared_ptr<StreamAttachment>& stream,
            rendezvous::v1::AttachResponse response) {
    stream->Send(std::move(response));
    Touch(stream);
  }

  void End(const std::shared_ptr<StreamAttachment>& stream, absl::Status status) {
    stream->End(std::move(status));
    Touch(stream);
  }

  void ReadMore(const std::shared_ptr<StreamAttachment>& stream) {
    stream->ReadMore();
    Touch(stream);
  }

  // For a call of the store.
  Store& Call(Store& store) {
    called_ = &store;
    return store;
  }

  // Tells `observer`, unless it is null.
  void Tell(SwitchboardObserver* observer, ChannelEvent event) {
    if (observer == nullptr) return;
    observer_ = observer;
    events_.push_back(std::move(event));
  }

  void Defer(std::function<void()> work) { deferred_.push_back(std::move(work)); }

 private:
  void Touch(const std::shared_ptr<StreamAttachment>& stream) {
    if (std::find(touched_.begin(), touched_.end(), stream) == touched_.end()) {
      touched_.push_back(stream);
    }
  }

  sync::Mutex& mutex_;
  Store* called_ = nullptr;
  SwitchboardObserver* observer_ = nullptr;
  std::vector<std::shared_ptr<StreamAttachment>> touched_;
  std::vector<std::function<void()>> deferred_;
  std::vector<ChannelEvent> events_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_LOCKED_EFFECTS_H_
