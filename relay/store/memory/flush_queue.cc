#include "relay/store/memory/flush_queue.h"

#include "relay/store/store_away.h"

namespace wormhole::relay {

FlushQueue::~FlushQueue() {
  const absl::Status closing = StoreAway("the store is closing");
  {
    sync::MutexLock lock(mutex_);
    running_ = true;  // an answer may flush
  }
  while (const Call call = Next()) call(closing);
}

void FlushQueue::Flush() {
  {
    sync::MutexLock lock(mutex_);
    if (running_) return;
    running_ = true;
  }
  // A call takes a microsecond or two, less than what gRPC needs to bring the next one: the queue
  // is soon empty.
  while (const Call call = Next()) call(absl::OkStatus());
}

FlushQueue::Call FlushQueue::Next() {
  sync::MutexLock lock(mutex_);
  if (calls_.empty()) {
    running_ = false;
    return nullptr;
  }
  Call call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

}  // namespace wormhole::relay
