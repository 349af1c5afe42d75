#include "relay/switchboard/waiters.h"

#include <algorithm>
#include <utility>

namespace wormhole::relay {
namespace {

// Takes the waiters that `predicate` holds for out of the list, and returns their streams.
template <typename Predicate>
std::vector<Waiters::Stream> RemoveThose(std::vector<Waiter>& waiters, Predicate predicate) {
  std::vector<Waiters::Stream> removed;
  for (auto waiter = waiters.begin(); waiter != waiters.end();) {
    if (!predicate(*waiter)) {
      ++waiter;
      continue;
    }
    removed.push_back(std::move(waiter->stream));
    waiter = waiters.erase(waiter);
  }
  return removed;
}

}  // namespace

Waiter* Waiters::Find(const Stream& stream) {
  const auto found =
      std::find_if(waiters_.begin(), waiters_.end(),
                   [&stream](const Waiter& waiter) { return waiter.stream == stream; });
  return found == waiters_.end() ? nullptr : &*found;
}

void Waiters::Remove(const Stream& stream) {
  std::erase_if(waiters_, [&stream](const Waiter& waiter) { return waiter.stream == stream; });
}

std::vector<Waiters::Stream> Waiters::RemoveSide(const std::string& side) {
  return RemoveThose(waiters_, [&side](const Waiter& waiter) { return waiter.side == side; });
}

std::vector<Waiter> Waiters::TakeAll() {
  chosen_.clear();
  return std::exchange(waiters_, {});
}

const std::string& Waiters::Choose() {
  chosen_ = waiters_.empty() ? std::string() : waiters_.front().side;
  return chosen_;
}

std::vector<Waiters::Stream> Waiters::ForgetChosen() {
  chosen_.clear();
  return RemoveThose(waiters_, [](const Waiter& waiter) { return waiter.close.has_value(); });
}

}  // namespace wormhole::relay
