// Calls a function again and again on a thread of its own.
#ifndef WORMHOLE_RELAY_SERVER_TICKER_H_
#define WORMHOLE_RELAY_SERVER_TICKER_H_

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "proto/sync/mutex.h"

namespace wormhole::relay {

// The destructor waits until a running call returns.
class Ticker {
 public:
  Ticker(std::chrono::milliseconds interval, std::function<void()> tick)
      : interval_(interval), tick_(std::move(tick)), thread_([this] { Run(); }) {}

  ~Ticker() {
    {
      sync::MutexLock lock(mutex_);
      stopping_ = true;
      changed_.NotifyAll();
    }
    thread_.join();
  }

  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void Run() {
    while (AwaitNext()) tick_();
  }

  // False when it is over.
  bool AwaitNext() {
    const auto next = std::chrono::steady_clock::now() + interval_;
    sync::MutexLock lock(mutex_);
    while (!stopping_) {
      if (!changed_.WaitUntil(mutex_, next)) return !stopping_;
    }
    return false;
  }

  const std::chrono::milliseconds interval_;
  const std::function<void()> tick_;
  sync::Mutex mutex_;
  sync::CondVar changed_;
  bool stopping_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_TICKER_H_
