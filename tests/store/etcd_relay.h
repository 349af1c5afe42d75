// What one relay of a group has of its store in etcd: the store, a clock, a listener, and the ticks
// that keep the store going.
#ifndef WORMHOLE_TESTS_STORE_ETCD_RELAY_H_
#define WORMHOLE_TESTS_STORE_ETCD_RELAY_H_

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "proto/sync/mutex.h"
#include "relay/clock/clock.h"
#include "relay/clock/testing/machine_clock.h"
#include "relay/server/ticker.h"
#include "relay/store/etcd/etcd_store.h"
#include "tests/store/blocking_store.h"
#include "tests/store/noting_listener.h"
#include "tests/store/started_etcd.h"

namespace wormhole::relay {

// What a relay's readiness hears of its store, from EtcdOptions::on_trouble. Outlives the relay.
// Thread-safe.
class StoreReadiness {
 public:
  void Note(bool works) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    works_ = works;
    told_.NotifyAll();
  }
  bool away() const WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    return !works_;
  }
  void AwaitAway() { Await(false); }
  void AwaitBack() { Await(true); }

 private:
  void Await(bool works) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    while (works_ != works) told_.Wait(mutex_);
  }

  mutable sync::Mutex mutex_;
  sync::CondVar told_;
  bool works_ WORMHOLE_GUARDED_BY(mutex_) = true;
};

class EtcdRelay {
 public:
  // Its machine's clock is `ahead` of the true time.
  EtcdRelay(const std::string& name, EtcdOptions options,
            absl::Duration ahead = absl::ZeroDuration())
      : machine_(ahead) {
    options.relay_id = name;
    options.clock = &clock_;
    auto opened = OpenStarted(std::move(options));
    if (!opened.ok()) ADD_FAILURE() << opened.status();
    store_ = *std::move(opened);
    EXPECT_TRUE(store_->Start(&listener_).ok());
    Tick();
  }
  ~EtcdRelay() {
    Freeze();
    store_->StopTelling();
  }

  EtcdStore& store() { return *store_; }
  NotingListener& listener() { return listener_; }
  RelayClock& clock() { return clock_; }
  // Somebody sets the machine's clock.
  void SetClock(absl::Duration forward) { machine_.Set(forward); }
  BlockingStore Call() { return BlockingStore(*store_); }

  // As when the process stands still: nothing is renewed and nothing tried again.
  void Freeze() { ticker_.reset(); }
  void Tick() {
    ticker_ = std::make_unique<Ticker>(std::chrono::milliseconds(10), [this] { store_->Flush(); });
  }

 private:
  MachineClock machine_;
  RelayClock clock_{machine_.reader()};
  NotingListener listener_;
  std::unique_ptr<EtcdStore> store_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_ETCD_RELAY_H_
