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

// Writes one response at a time; what comes meanwhile waits in the queue. Thread-safe.
class EventWatcher final : public grpc::ServerWriteReactor<rendezvous::v1::WatchEventsResponse>,
                           public std::enable_shared_from_this<EventWatcher> {
 public:
  // `forget` is called once the stream is over, and may let go of the last pointer to the watcher.
  explicit EventWatcher(std::function<void(const std::shared_ptr<EventWatcher>&)> forget);

  // The queue whose events are written, after a first response that says since when. At most once.
  void Begin(std::shared_ptr<EventQueue> queue, absl::Time since) WORMHOLE_EXCLUDES(mutex_);

  // How the stream ends, after what is queued now. Flush does it.
  void End(grpc::Status status) WORMHOLE_EXCLUDES(mutex_);

  // Starts what there is to do. Without locks.
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
  // Touched by the thread that starts, else by gRPC.
  rendezvous::v1::WatchEventsResponse response_;
  grpc::Status final_;

  mutable sync::Mutex mutex_;
  StartLoop start_loop_{mutex_};
  std::shared_ptr<EventQueue> queue_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<absl::Time> since_ WORMHOLE_GUARDED_BY(mutex_);  // until it has been written
  std::optional<grpc::Status> ending_ WORMHOLE_GUARDED_BY(mutex_);
  bool gone_ WORMHOLE_GUARDED_BY(mutex_) = false;  // nothing more is written
  bool writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool finished_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_INSPECTION_EVENT_WATCHER_H_
