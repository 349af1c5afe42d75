#include "tests/simulation/event_loop.h"

#include <algorithm>
#include <utility>

namespace wormhole::simulation {

void EventLoop::After(absl::Duration delay, std::function<void()> action) {
  // Rounded up: who asked to be woken at a time must not be woken before it.
  const absl::Duration whole = absl::Ceil(delay, absl::Nanoseconds(1));
  const int64_t at = now_ + std::max<int64_t>(0, absl::ToInt64Nanoseconds(whole));
  heap_.push_back({.at = at, .order = ++order_, .action = std::move(action)});
  std::push_heap(heap_.begin(), heap_.end());
}

EventLoop::Stop EventLoop::Run(absl::Duration until, size_t max_events,
                               const std::function<bool()>& done) {
  const int64_t end = absl::ToInt64Nanoseconds(until);
  while (!done()) {
    if (heap_.empty()) return Stop::kIdle;
    if (heap_.front().at > end) {
      now_ = std::max(now_, end);
      return Stop::kTime;
    }
    if (events_ >= max_events) return Stop::kEvents;
    std::pop_heap(heap_.begin(), heap_.end());
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.at;
    ++events_;
    event.action();
  }
  return Stop::kDone;
}

}  // namespace wormhole::simulation
