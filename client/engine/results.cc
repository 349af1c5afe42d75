#include "client/engine/results.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "client/core/failure.h"
#include "client/engine/executor.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

constexpr const char* kBlockingCalls[] = {"GetCode", "GetVerifier", "GetData"};

}  // namespace

absl::Status BlockingCallError(const char* call, const char* instead) {
  return core::Failure(
      Reason::kBlockingCall, absl::StatusCode::kFailedPrecondition,
      std::string(call) +
          " would block a thread that runs callbacks: call it from a thread of the application" +
          instead);
}

void Results::Set(What what, std::string value) { Settle({what}, std::move(value)); }

void Results::Fail(const absl::Status& status) { Settle({kCode, kVerifier, kData}, status); }

void Results::Fail(What what, const absl::Status& status) { Settle({what}, status); }

bool Results::Settled() const {
  sync::MutexLock lock(mutex_);
  return slots_[kData].value.has_value() && !cut_short_;
}

std::vector<Results::Callback> Results::SettleLocked(std::initializer_list<What> which,
                                                     const absl::StatusOr<std::string>& value) {
  std::vector<Callback> callbacks;
  for (const What what : which) {
    Slot& slot = slots_[what];
    if (slot.value.has_value()) continue;
    slot.value = value;
    std::move(slot.callbacks.begin(), slot.callbacks.end(), std::back_inserter(callbacks));
    slot.callbacks.clear();
  }
  settled_.NotifyAll();
  return callbacks;
}

// Posts callbacks without the lock: the queue may destroy them, and with them objects of the
// application whose destructors may call back here.
void Results::Settle(std::initializer_list<What> which, const absl::StatusOr<std::string>& value) {
  std::vector<Callback> callbacks;
  {
    sync::MutexLock lock(mutex_);
    callbacks = SettleLocked(which, value);
  }
  for (Callback& callback : callbacks) Post(std::move(callback), value);
}

absl::StatusOr<std::string> Results::Await(What what) {
  if (Executor::OnExecutorThread()) {
    return BlockingCallError(kBlockingCalls[what], ", or use a callback (When...)");
  }
  sync::MutexLock lock(mutex_);
  while (!slots_[what].value.has_value()) settled_.Wait(mutex_);
  return *slots_[what].value;
}

void Results::When(What what, Callback callback) {
  if (callback == nullptr) return;
  absl::StatusOr<std::string> value;
  bool inside = false;
  {
    sync::MutexLock lock(mutex_);
    Slot& slot = slots_[what];
    if (!slot.value.has_value()) {
      slot.callbacks.push_back(std::move(callback));
      return;
    }
    value = *slot.value;
    inside = shut_down_;
  }
  if (inside) return callback(std::move(value));
  Post(std::move(callback), std::move(value));
}

void Results::Release() {
  callbacks_->Release();
  std::vector<Callback> dropped;  // outlives the lock
  sync::MutexLock lock(mutex_);
  for (Slot& slot : slots_) {
    std::move(slot.callbacks.begin(), slot.callbacks.end(), std::back_inserter(dropped));
    slot.callbacks.clear();
  }
}

// In one step, so that a callback is either one of those that wait, and is destroyed, or runs.
void Results::ShutDown(const absl::Status& status) {
  callbacks_->Release();
  std::vector<Callback> dropped;  // outlives the lock
  sync::MutexLock lock(mutex_);
  shut_down_ = true;
  if (!slots_[kData].value.has_value()) cut_short_ = true;
  dropped = SettleLocked({kCode, kVerifier, kData}, status);
}

void Results::Post(Callback callback, absl::StatusOr<std::string> value) {
  callbacks_->Post([callback = std::move(callback), value = std::move(value)] { callback(value); });
}

}  // namespace wormhole
