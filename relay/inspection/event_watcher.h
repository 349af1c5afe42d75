// One WatchEvents stream: gRPC's reactor on one side, an EventQueue on the other.
#ifndef WORMHOLE_RELAY_INSPECTION_EVENT_WATCHER_H_
#define WORMHOLE_RELAY_INSPECTION_EVENT_WATCHER_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "proto/sync/mutex.h"
#include "relay/grpc/start_loop.h"
#include "relay/monitor/event_feed.h"
#include "wormhole/rendezvous/v1/inspection.pb.h"

namespace wormhole::relay {

// Writes one response at a time; events that come meanwhile wait in the queue. Thread-safe.
class EventWatcher final : public grpc::ServerWriteReactor<rendezvous::v1::WatchEventsResponse>,
                           public std::enable_shared_from_this<EventWatcher> {
 public:
  // Calls `forget` when the stream is over; `forget` may drop the last pointer to the watcher.
  explicit EventWatcher(std::function<void(const std::shared_ptr<EventWatcher>&)> forget);

  // Writes a first response that says since when, then the events of `queue`. Call it once at most.
  void Begin(std::shared_ptr<EventQueue> queue, absl::Time since) WORMHOLE_EXCLUDES(mutex_);

  // Notes how the stream ends, after the events that are queued now. Flush starts that.
  void End(grpc::Status status) WORMHOLE_EXCLUDES(mutex_);

  // Starts what is noted and queued. Call it without locks.
  void Flush() WORMHOLE_EXCLUDES(mutex_);

  // The queue of Begin, or null.
  std::shared_ptr<EventQueue> queue() const WORMHOLE_EXCLUDES(mutex_);

  // grpc::ServerWriteReactor
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class Action { kWrite, kFinish };

  // What to start next; marks it as started.
  std::optional<Action> NextAction() WORMHOLE_REQUIRES(mutex_);
  void Start(Action action) WORMHOLE_EXCLUDES(mutex_);
  // Fills `response_`, if there is anything to write.
  bool TakeNext() WORMHOLE_REQUIRES(mutex_);
  // The client has gone.
  void Leave() WORMHOLE_EXCLUDES(mutex_);

  const std::function<void(const std::shared_ptr<EventWatcher>&)> forget_;
  // Of gRPC between a Start* and its reaction, else of the thread in the StartLoop.
  rendezvous::v1::WatchEventsResponse response_;
  grpc::Status final_;

  mutable sync::Mutex mutex_;
  StartLoop start_loop_{mutex_};
  std::shared_ptr<EventQueue> queue_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<absl::Time> since_ WORMHOLE_GUARDED_BY(mutex_);  // until a response has said it
  std::optional<grpc::Status> ending_ WORMHOLE_GUARDED_BY(mutex_);
  bool gone_ WORMHOLE_GUARDED_BY(mutex_) = false;  // the client has; write nothing more
  bool writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool finished_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_INSPECTION_EVENT_WATCHER_H_
