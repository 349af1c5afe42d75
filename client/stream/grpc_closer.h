#ifndef WORMHOLE_CLIENT_STREAM_GRPC_CLOSER_H_
#define WORMHOLE_CLIENT_STREAM_GRPC_CLOSER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proto/sync/mutex.h"
#include "proto/sync/threads.h"

namespace wormhole {

// Lets go of what keeps gRPC going, on threads of their own, and waits for that. With the last of
// it in a process gRPC 1.51 ends its callback threads and joins them; on one of them, where things
// often end, it would join itself and go on with a deleted completion queue. Held by shared_ptr.
// Any thread.
class GrpcCloser : public std::enable_shared_from_this<GrpcCloser> {
 public:
  // How long gRPC tries to connect: GRPC_ARG_MIN_RECONNECT_BACKOFF_MS of our channels, and a second
  // for timers that are late.
  static constexpr std::chrono::seconds kAttempt{6};
  // How long it takes to close a connection, which is milliseconds, on a machine that is busy.
  static constexpr std::chrono::seconds kClosing{1};

  explicit GrpcCloser(std::shared_ptr<sync::Threads> threads) : threads_(std::move(threads)) {}
  GrpcCloser(const GrpcCloser&) = delete;
  GrpcCloser& operator=(const GrpcCloser&) = delete;

  // A thing is there that Close will come for.
  void NoteOpen();
  // Runs `close`, which may block for as long as kAttempt. When the system gives no thread
  // AwaitClosed does, and without it the thing stays, which is better than the end of the process.
  void Close(std::function<void()> close);

  // A channel was destroyed: gRPC goes on by itself for so long at most, as it closes the
  // connection on a thread of its own, or gives up an attempt to connect.
  void NoteEnding(std::chrono::seconds most);

  // Waits until all is closed and gRPC has stopped, or must have let go of ours. Says what is left
  // when the deadline comes first; else empty. Begins nothing after the deadline.
  std::string AwaitClosed(std::chrono::steady_clock::time_point deadline);

 private:
  using Work = std::function<void()>;

  void NoteClosed();
  bool AwaitNoneOpen(std::chrono::steady_clock::time_point deadline);
  bool AwaitEndings(std::chrono::steady_clock::time_point deadline) const;

  const std::shared_ptr<sync::Threads> threads_;
  mutable sync::Mutex mutex_;
  sync::CondVar changed_;
  size_t open_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  // Of those that no thread was there for. The destructor leaves them alone: on its thread, which
  // may be gRPC's, it would close them.
  std::vector<Work*> orphans_ WORMHOLE_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point endings_over_ WORMHOLE_GUARDED_BY(mutex_) = {};
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_GRPC_CLOSER_H_
