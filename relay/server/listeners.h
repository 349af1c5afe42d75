// Listening sockets for HOST:PORT, for whoever accepts other than gRPC.
#ifndef WORMHOLE_RELAY_SERVER_LISTENERS_H_
#define WORMHOLE_RELAY_SERVER_LISTENERS_H_

#include <cstdint>
#include <limits>
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
      : sockets_(other.Release()), address_(std::move(other.address_)), port_(other.port_) {}
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // What 0.0.0.0 stands for: itself, or, where gRPC's own listeners did before, every address as
  // [::] does.
  enum class Zeros { kIPv4, kEverything };
  // The kernel's limit is then the one that counts (net.core.somaxconn).
  static constexpr int kLongBacklog = std::numeric_limits<int>::max();

  // Listens on every address that `listen` (HOST:PORT, [IPV6]:PORT) stands for, all on the same
  // port; on [::] for IPv4 too, as gRPC does. Port 0 lets the kernel pick. So many connections may
  // wait to be accepted; the kernel has a limit too. UNAVAILABLE with one line for people. Called
  // once; blocks for as long as the name takes to resolve.
  absl::Status Open(const std::string& listen, int backlog, Zeros zeros = Zeros::kIPv4);

  // Gives the sockets to the caller, who closes them.
  std::vector<int> Release() { return std::exchange(sockets_, {}); }
  const std::vector<int>& sockets() const { return sockets_; }
  // ADDRESS:PORT with the port that the kernel bound.
  const std::string& address() const { return address_; }
  uint16_t port() const { return port_; }

 private:
  // errno of the last failure if none of the host's addresses can be listened on, else 0.
  int OpenAll(const std::string& host, uint16_t port, int backlog);

  std::vector<int> sockets_;
  std::string address_;
  uint16_t port_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_LISTENERS_H_
