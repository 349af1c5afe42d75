// Listening sockets for HOST:PORT, for servers other than gRPC's.
#ifndef WORMHOLE_RELAY_SERVER_LISTENERS_H_
#define WORMHOLE_RELAY_SERVER_LISTENERS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace wormhole::relay {

// Not thread-safe. The sockets close on exec, and do not block. The destructor closes those that
// nobody has released or moved.
class Listeners {
 public:
  Listeners() = default;
  ~Listeners();
  Listeners(Listeners&& other) noexcept
      : sockets_(other.Release()), address_(std::move(other.address_)) {}
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Listens on every address that `listen` (HOST:PORT, [IPV6]:PORT) stands for, all on the same
  // port; on [::] for IPv4 too, as gRPC does. Port 0 lets the kernel pick. UNAVAILABLE with one
  // line for people. Called once; blocks for as long as the name takes to resolve.
  absl::Status Open(const std::string& listen);

  // Gives the sockets to the caller, who closes them.
  std::vector<int> Release() { return std::exchange(sockets_, {}); }
  // ADDRESS:PORT with the port that the kernel bound.
  const std::string& address() const { return address_; }

 private:
  // errno of the last failure if none of the host's addresses can be listened on, else 0.
  int OpenAll(const std::string& host, uint16_t port);

  std::vector<int> sockets_;
  std::string address_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_LISTENERS_H_
