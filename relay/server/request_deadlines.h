// Connections that have one request each, and little time for it.
#ifndef WORMHOLE_RELAY_SERVER_REQUEST_DEADLINES_H_
#define WORMHOLE_RELAY_SERVER_REQUEST_DEADLINES_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <utility>

#include "proto/sync/mutex.h"

namespace wormhole::relay {

// Who trickles is never silent, so that a limit on silence does not end him; and while he and his
// like have all places, nobody else is served. So a connection has a deadline for the whole of its
// request; and when there are too many, the oldest gives way: a request that is answered takes
// milliseconds.
//
// Thread-safe. Takes the time from outside.
class RequestDeadlines {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Makes the connection end; called under the lock, so that the socket is open then.
  using Cut = std::function<void(int socket)>;

  RequestDeadlines(size_t most, std::chrono::milliseconds deadline, Cut cut)
      : most_(most), deadline_(deadline), cut_(std::move(cut)) {}

  // A connection has come. Cuts the oldest ones of those that are more than `most`.
  void Opened(int socket, Time now) WORMHOLE_EXCLUDES(mutex_);
  // It is about to be closed.
  void Closed(int socket) WORMHOLE_EXCLUDES(mutex_);
  // Cuts those whose time is over.
  void CutLate(Time now) WORMHOLE_EXCLUDES(mutex_);

 private:
  struct Connection {
    int socket;
    Time opened;
  };

  void CutOldest() WORMHOLE_REQUIRES(mutex_);

  const size_t most_;
  const std::chrono::milliseconds deadline_;
  const Cut cut_;
  sync::Mutex mutex_;
  // The oldest first, without those that were cut.
  std::list<Connection> connections_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_REQUEST_DEADLINES_H_
