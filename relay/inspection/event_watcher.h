// One WatchEvents stream: gRPC's reactor on one side, an EventQueue on the other.
#ifndef WORMHOLE_RELAY_INSPECTION_EVENT_WATCHER_H_
#define WORMHOLE_RELAY_INSPECTION_EVENT_WATCHER_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "proto/sync/mutex.h"
#include "relay/grpc/call_limit.h"
#include "relay/grpc/start_loop.h"
#include "relay/grpc/unary_call.h"
#include "relay/monitor/event_feed.h"
#include "wormhole/rendezvous/v1/inspection.pb.h"

namespace wormhole::relay {

// Reads the request, then writes one response at a time; events that come meanwhile wait in the
// queue. Thread-safe.
class EventWatcher final : public StreamReactor, public std::enable_shared_from_this<EventWatcher> {
 public:
  struct Hooks {
    // The request is here: to Begin, or to End.
    std::function<void(const rendezvous::v1::WatchEventsRequest&,
                       const std::shared_ptr<EventWatcher>&)>
        asked;
    // The stream is over. It may drop the last pointer to the watcher.
    std::function<void(const std::shared_ptr<EventWatcher>&)> over;
  };

  // `place` is held until Begin, or until the stream is over.
  EventWatcher(std::unique_ptr<CallLimit::Place> place, Hooks hooks);

  // Writes a first response that says since when, then the events of `queue`. In `asked`, once at
  // most.
  void Begin(std::shared_ptr<EventQueue> queue, absl::Time since) WORMHOLE_EXCLUDES(mutex_);

  // Notes how the stream ends, after the events that are queued now. Flush starts that.
  void End(grpc::Status status) WORMHOLE_EXCLUDES(mutex_);

  // Starts what is noted and queued. Call it without locks.
  void Flush() WORMHOLE_EXCLUDES(mutex_);

  // The queue of Begin, or null.
  std::shared_ptr<EventQueue> queue() const WORMHOLE_EXCLUDES(mutex_);

  // StreamReactor
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class Action { kRead, kWrite, kFinish };

  // What to start next; marks it as started.
  std::optional<Action> NextAction() WORMHOLE_REQUIRES(mutex_);
  void Start(Action action) WORMHOLE_EXCLUDES(mutex_);
  // Fills `written_`, if there is anything to write.
  bool TakeNext() WORMHOLE_REQUIRES(mutex_);
  // The client has gone.
  void Leave() WORMHOLE_EXCLUDES(mutex_);

  const Hooks hooks_;
  // Of gRPC's reactions.
  std::unique_ptr<CallLimit::Place> place_;
  bool asked_ = false;
  // Of gRPC between a Start* and its reaction, else of the thread in the StartLoop.
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  grpc::Status final_;

  mutable sync::Mutex mutex_;
  StartLoop start_loop_{mutex_};
  std::shared_ptr<EventQueue> queue_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<absl::Time> since_ WORMHOLE_GUARDED_BY(mutex_);  // until a response has said it
  std::optional<grpc::Status> ending_ WORMHOLE_GUARDED_BY(mutex_);
  bool gone_ WORMHOLE_GUARDED_BY(mutex_) = false;     // the client has; write nothing more
  bool reading_ WORMHOLE_GUARDED_BY(mutex_) = false;  // or it has read
  bool writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool finished_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_INSPECTION_EVENT_WATCHER_H_
