#include "tests/simulation/pipe.h"

#include <algorithm>
#include <utility>

namespace wormhole::simulation {

void Pipe::Push(std::function<void()> deliver) {
  if (cut_) return;
  absl::Duration at = loop_->now() + random_.Between(min_delay_, max_delay_);
  if (!items_.empty()) at = std::max(at, items_.back().at);
  items_.push_back({.at = at, .deliver = std::move(deliver)});
  Wait();
}

void Pipe::Stall(absl::Duration extra) {
  for (Item& item : items_) item.at += extra;
}

void Pipe::Drop() {
  cut_ = true;
  items_.clear();
}

void Pipe::Wait() {
  if (waiting_ || items_.empty()) return;
  waiting_ = true;
  loop_->After(items_.front().at - loop_->now(), [this] { DeliverFirst(); });
}

void Pipe::DeliverFirst() {
  waiting_ = false;
  if (!items_.empty() && items_.front().at <= loop_->now()) {
    const std::function<void()> deliver = std::move(items_.front().deliver);
    items_.pop_front();
    deliver();
  }
  Wait();
}

}  // namespace wormhole::simulation
