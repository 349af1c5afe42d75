#include "relay/inspection/event_watcher.h"

#include <utility>

#include "proto/wire/proto_time.h"

namespace wormhole::relay {

using rendezvous::v1::WatchEventsRequest;
using rendezvous::v1::WatchEventsResponse;

EventWatcher::EventWatcher(std::unique_ptr<CallLimit::Place> place, Hooks hooks)
    : hooks_(std::move(hooks)), place_(std::move(place)) {}

void EventWatcher::Begin(std::shared_ptr<EventQueue> queue, absl::Time since) {
  place_.reset();  // it is one of those who watch now
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
  if (!std::exchange(reading_, true)) return Action::kRead;
  return std::nullopt;
}

void EventWatcher::Start(Action action) {
  switch (action) {
    case Action::kRead:
      return StartRead(&read_);
    case Action::kWrite:
      return StartWrite(&written_);
    case Action::kFinish:
      return Finish(final_);
  }
}

bool EventWatcher::TakeNext() {
  if (queue_ == nullptr || gone_) return false;
  WatchEventsResponse response;
  if (since_) {
    wire::Assign(*since_, *response.mutable_watching_since());
    since_.reset();
  } else {
    const std::optional<EventQueue::Taken> taken = queue_->Take();
    if (!taken) return false;
    *response.mutable_event() = *taken->event;
    response.set_lost(taken->lost);
  }
  written_ = BytesOf(response);
  return true;
}

void EventWatcher::OnReadDone(bool ok) {
  WatchEventsRequest request;
  if (ok && ParseFrom(read_, request)) {
    asked_ = true;
    read_.Clear();
    hooks_.asked(request, shared_from_this());
  } else {
    End(NoSuchRequest());
  }
  Flush();
}

void EventWatcher::OnWriteDone(bool ok) {
  {
    sync::MutexLock lock(mutex_);
    writing_ = false;
  }
  ok ? Flush() : Leave();
}

void EventWatcher::OnCancel() { Leave(); }

void EventWatcher::OnDone() {
  if (!asked_) place_->NoteAbandoned();
  place_.reset();
  hooks_.over(shared_from_this());
}

void EventWatcher::Leave() {
  {
    sync::MutexLock lock(mutex_);
    gone_ = true;
    if (!ending_) ending_ = grpc::Status::CANCELLED;
  }
  Flush();
}

}  // namespace wormhole::relay
