// What happens at this relay, for those who watch. Each watcher has a bounded queue of its own. A
// watcher that does not keep up loses its oldest events: it holds nobody up, and its memory is
// bounded.
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

  // `app_id`: whose events; empty: all. The feed calls `wake` without locks when an event has come,
  // perhaps once more after Leave has given the queue back.
  EventQueue(std::string app_id, std::function<void()> wake);

  struct Taken {
    EventPtr event;
    uint64_t lost = 0;  // events dropped between the previous one and this one
  };
  // Takes the oldest event, if there is one.
  std::optional<Taken> Take() WORMHOLE_EXCLUDES(mutex_);

 private:
  friend class EventFeed;

  bool Wants(const rendezvous::v1::Event& event) const {
    return app_id_.empty() || app_id_ == event.app_id();
  }
  // True when the queue dropped an older event for this one.
  bool Add(EventPtr event) WORMHOLE_EXCLUDES(mutex_);

  const std::string app_id_;
  const std::function<void()> wake_;
  sync::Mutex mutex_;
  std::deque<EventPtr> events_ WORMHOLE_GUARDED_BY(mutex_);
  uint64_t lost_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

// Thread-safe. Without watchers, Note costs one atomic load.
class EventFeed {
 public:
  static constexpr size_t kMaxWatchers = 16;

  // `now` gives the time of an event; any thread calls it.
  explicit EventFeed(std::function<absl::Time()> now) : now_(std::move(now)) {}

  // A queue of the events from now on (see EventQueue). Null when kMaxWatchers have one already.
  std::shared_ptr<EventQueue> Watch(std::string app_id, std::function<void()> wake)
      WORMHOLE_EXCLUDES(mutex_);
  // Gives the queue back.
  void Leave(const std::shared_ptr<EventQueue>& queue) WORMHOLE_EXCLUDES(mutex_);

  // Called without locks.
  void Note(const ChannelEvent& event);
  // Makes an event only if the relay had a reason to end the stream.
  void Note(const StreamReport& report);

  // How many events all watchers together have lost.
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
