#include "relay/grpc/begun_calls.h"

#include <functional>
#include <utility>

namespace wormhole::relay {
namespace {

// Telling costs as much as a few calls.
constexpr size_t kTellOfEach = 16;

}  // namespace

void BegunCalls::SetTooMany(std::function<void()> too_many) {
  sync::MutexLock lock(mutex_);
  too_many_ = std::move(too_many);
}

grpc::CallbackServerContext* BegunCalls::NewCallbackServerContext() {
  OnBegun();
  return nullptr;
}

grpc::GenericCallbackServerContext* BegunCalls::NewGenericCallbackServerContext() {
  OnBegun();
  return nullptr;
}

void BegunCalls::Release(grpc::CallbackServerContext*) { --count_; }

void BegunCalls::Release(grpc::GenericCallbackServerContext*) { --count_; }

void BegunCalls::OnBegun() {
  const size_t count = ++count_;
  // Some come into hand, or leave it, meanwhile: it is a few more or less.
  if (count <= most_ || (in_hand_ && count <= most_ + in_hand_())) {
    if (too_many_yet_ != 0) too_many_yet_ = 0;
    return;
  }
  if (too_many_yet_++ % kTellOfEach != 0) return;
  std::function<void()> too_many;
  {
    sync::MutexLock lock(mutex_);
    too_many = too_many_;
  }
  if (too_many) too_many();
}

}  // namespace wormhole::relay
