// Tells systemd, or another service manager that speaks sd_notify(3), how the relay is.
#ifndef WORMHOLE_RELAY_SERVER_SERVICE_MANAGER_H_
#define WORMHOLE_RELAY_SERVER_SERVICE_MANAGER_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {

// What a service manager asks of this process.
struct ServiceRequest {
  std::string socket;                     // PATH, or @NAME for an abstract one; empty: nothing
  std::chrono::microseconds watchdog{0};  // how often it wants to hear; zero: it does not

  // From $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, which a process that is started from
  // here does not inherit: it would speak for the relay. Call it before any thread starts.
  static ServiceRequest TakeFromEnvironment();
};

// The relay as a service manager is told.
struct ServiceState {
  enum class Stage {
    kStarting,
    // It serves, or its ports are open and its store is away: all is done that the relay can do by
    // itself. That it waits for its store is no reason to call it unready here. systemd would end a
    // unit that does not get ready (TimeoutStartSec=) and start it again, which brings no store
    // back, and until then hold up whatever comes after it, such as the boot. Its store may go away
    // a moment later just as well. Who asks whether it is of use to clients asks health.
    kServing,
    kStopping,
  };
  Stage stage = Stage::kStarting;
  std::string address;  // where clients come
  absl::Status store;   // why it is away
  absl::Time store_since = absl::InfinitePast();
  size_t streams = 0;
  absl::Time stops_by = absl::InfiniteFuture();  // while it stops
};

// One line for people: `systemctl status` shows it.
std::string StatusLine(const ServiceState& state);

// Thread-safe. Each message is one datagram, and none is waited for: when the socket is full, or
// nobody listens, the relay goes on, and what the manager has not heard it hears with a later call.
class ServiceManager {
 public:
  // Null when the request has no socket. INVALID_ARGUMENT, with one line for people, when it is not
  // one that can be written to; UNAVAILABLE when the process has no descriptor left.
  static absl::StatusOr<std::unique_ptr<ServiceManager>> Reach(const ServiceRequest& request);

  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  // Says what has changed: READY=1 once, when it serves; STATUS=; STOPPING=1 once, when it stops,
  // with the time that it may still take, so that TimeoutStopSec= need not follow --drain-timeout.
  void Tell(const ServiceState& state) WORMHOLE_EXCLUDES(mutex_);

  // WATCHDOG=1, if it is asked for and half of its time is over. Call it often, and only from the
  // thread without which the relay is of no use: a manager that does not hear it ends the process.
  void Feed(std::chrono::steady_clock::time_point now) WORMHOLE_EXCLUDES(mutex_);

 private:
  struct Address {
    sockaddr_un socket = {};
    socklen_t size = 0;
  };

  ServiceManager(int fd, const Address& address, std::chrono::microseconds watchdog)
      : fd_(fd), address_(address), watchdog_(watchdog) {}

  static std::optional<Address> ReadAddress(const std::string& socket);
  // Whether it was taken.
  bool Send(const std::string& message) const;

  const int fd_;
  const Address address_;
  const std::chrono::microseconds watchdog_;
  sync::Mutex mutex_;
  // What the manager has heard.
  bool ready_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool stopping_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::string status_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<std::chrono::steady_clock::time_point> fed_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_SERVICE_MANAGER_H_
