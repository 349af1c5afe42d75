// The results of an exchange, and who waits for them.
#ifndef WORMHOLE_CLIENT_ENGINE_RESULTS_H_
#define WORMHOLE_CLIENT_ENGINE_RESULTS_H_

#include <array>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/engine/callback_queue.h"
#include "proto/sync/mutex.h"

namespace wormhole {

// Each result is set once and then stays. Fail() sets those that are not set yet. Any thread.
class Results {
 public:
  enum What : size_t { kCode, kVerifier, kData };
  using Callback = std::function<void(absl::StatusOr<std::string>)>;

  explicit Results(std::shared_ptr<CallbackQueue> callbacks) : callbacks_(std::move(callbacks)) {}

  void Set(What what, std::string value);
  void Fail(const absl::Status& status);
  // Sets this one alone, unless it is set.
  void Fail(What what, const absl::Status& status);
  // The data is there, or the exchange has failed. False after a ShutDown that came before: that is
  // not the exchange's own end, of which no more needs to be saved.
  bool Settled() const;

  // Blocks until the result is there. FAILED_PRECONDITION on a thread that runs callbacks.
  absl::StatusOr<std::string> Await(What what);
  // Runs `callback` with the result, now or once it is there, by way of the callback queue; after
  // ShutDown inside the call.
  void When(What what, Callback callback);

  // After it returns no callback starts. Destroys all of them but one that is running.
  void Release();
  // Release, and fails what is not set.
  void ShutDown(const absl::Status& status);

 private:
  struct Slot {
    std::optional<absl::StatusOr<std::string>> value;
    std::vector<Callback> callbacks;
  };

  // The callbacks of those that were not set.
  std::vector<Callback> SettleLocked(std::initializer_list<What> which,
                                     const absl::StatusOr<std::string>& value)
      WORMHOLE_REQUIRES(mutex_);
  void Settle(std::initializer_list<What> which, const absl::StatusOr<std::string>& value);
  void Post(Callback callback, absl::StatusOr<std::string> value);

  const std::shared_ptr<CallbackQueue> callbacks_;
  mutable sync::Mutex mutex_;
  sync::CondVar settled_;
  std::array<Slot, 3> slots_ WORMHOLE_GUARDED_BY(mutex_);
  bool shut_down_ WORMHOLE_GUARDED_BY(mutex_) = false;  // each slot has its value
  bool cut_short_ WORMHOLE_GUARDED_BY(mutex_) = false;  // by ShutDown, before the exchange's end
};

// The error of a blocking call on a thread that runs callbacks: such a thread would wait for what
// only these threads can bring. `call` is the call's name, `instead` what else is to be done.
absl::Status BlockingCallError(const char* call, const char* instead = "");

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_RESULTS_H_
