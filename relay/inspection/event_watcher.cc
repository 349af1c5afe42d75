#include "relay/inspection/event_watcher.h"

#include <utility>

#include "proto/wire/proto_time.h"

namespace wormhole::relay {

EventWatcher::EventWatcher(std::function<void(const std::shared_ptr<EventWatcher>&)> forget)
    : forget_(std::move(forget)) {}

void EventWatcher::Begin(std::shared_ptr<EventQueue> queue, absl::Time since) {
  sync::MutexLock lock(mutex_);
  queue_ = std::move(queue);
  since_ = since;
}

void EventWatcher::End(grpc::Status status) {
  sync::MutexLock lock(mutex_);
  if (!ending_) ending_ = std::move(status);
}

std::shared_ptr<EventQueue> EventWatcher::queue() const {
  sync::MutexLock lock(mutex_);
  return queue_;
}

void EventWatcher::Flush() {
  const auto next = [this] {
    mutex_.AssumeHeld();
    return NextAction();
  };
  start_loop_.Run(shared_from_this(), next, [this](Action action) { Start(action); });
}

std::optional<EventWatcher::Action> EventWatcher::NextAction() {
  if (finished_ || writing_) return std::nullopt;
  if (TakeNext()) {
    writing_ = true;
    return Action::kWrite;
  }
  if (ending_) {
    finished_ = true;
    final_ = *ending_;
    return Action::kFinish;
  }
  return std::nullopt;
}

void EventWatcher::Start(Action action) {
  if (action == Action::kWrite) {
    StartWrite(&response_);
  } else {
    Finish(final_);
  }
}

bool EventWatcher::TakeNext() {
  if (queue_ == nullptr || gone_) return false;
  response_.Clear();
  if (since_) {
    wire::Assign(*since_, *response_.mutable_watching_since());
    since_.reset();
    return true;
  }
  const std::optional<EventQueue::Taken> taken = queue_->Take();
  if (!taken) return false;
  *response_.mutable_event() = *taken->event;
  response_.set_lost(taken->lost);
  return true;
}

void EventWatcher::OnWriteDone(bool ok) {
  {
    sync::MutexLock lock(mutex_);
    writing_ = false;
  }
  ok ? Flush() : Leave();
}

void EventWatcher::OnCancel() { Leave(); }

void EventWatcher::OnDone() { forget_(shared_from_this()); }

void EventWatcher::Leave() {
  {
    sync::MutexLock lock(mutex_);
    gone_ = true;
    if (!ending_) ending_ = grpc::Status::CANCELLED;
  }
  Flush();
}

}  // namespace wormhole::relay
