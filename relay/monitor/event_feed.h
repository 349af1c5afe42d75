// What happens at this relay, for those who watch it happen. Each watcher has a queue of its own,
// from which the oldest events are lost when it does not keep up: it costs no memory and holds
// nobody up.
#ifndef WORMHOLE_RELAY_MONITOR_EVENT_FEED_H_
#define WORMHOLE_RELAY_MONITOR_EVENT_FEED_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/rendezvous/stream_report.h"
#include "relay/switchboard/observer.h"
#include "wormhole/rendezvous/v1/inspection.pb.h"

namespace wormhole::relay {

using EventPtr = std::shared_ptr<const rendezvous::v1::Event>;

// One watcher's queue. Thread-safe.
class EventQueue {
 public:
  static constexpr size_t kMaxEvents = 1024;

  // `app_id`: whose events; empty: all. `wake` is called without locks when an event has come;
  // perhaps once more after the queue was given back.
  EventQueue(std::string app_id, std::function<void()> wake);

  struct Taken {
    EventPtr event;
    uint64_t lost = 0;  // events between the one taken before and this one
  };
  // The oldest event, if there is one.
  std::optional<Taken> Take() WORMHOLE_EXCLUDES(mutex_);

 private:
  friend class EventFeed;

  bool Wants(const rendezvous::v1::Event& event) const {
    return app_id_.empty() || app_id_ == event.app_id();
  }
  // True when another event was lost for this one.
  bool Add(EventPtr event) WORMHOLE_EXCLUDES(mutex_);

  const std::string app_id_;
  const std::function<void()> wake_;
  sync::Mutex mutex_;
  std::deque<EventPtr> events_ WORMHOLE_GUARDED_BY(mutex_);
  uint64_t lost_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

// Thread-safe. While nobody watches, what is noted costs the look at one number.
class EventFeed {
 public:
  static constexpr size_t kMaxWatchers = 16;

  // `now`: the time of an event; any thread.
  explicit EventFeed(std::function<absl::Time()> now) : now_(std::move(now)) {}

  // Events from now on. See EventQueue; null when there are kMaxWatchers already.
  std::shared_ptr<EventQueue> Watch(std::string app_id, std::function<void()> wake)
      WORMHOLE_EXCLUDES(mutex_);
  // Gives the queue back.
  void Leave(const std::shared_ptr<EventQueue>& queue) WORMHOLE_EXCLUDES(mutex_);

  // Called without locks.
  void Note(const ChannelEvent& event);
  // An event if the relay had a reason to end the stream.
  void Note(const StreamReport& report);

  // By all watchers together.
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  bool watched() const { return watchers_.load(std::memory_order_acquire) > 0; }
  void Add(rendezvous::v1::Event event) WORMHOLE_EXCLUDES(mutex_);

  const std::function<absl::Time()> now_;
  std::atomic<uint64_t> lost_ = 0;
  std::atomic<size_t> watchers_ = 0;  // how many queues there are
  sync::Mutex mutex_;
  std::vector<std::shared_ptr<EventQueue>> queues_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_EVENT_FEED_H_
