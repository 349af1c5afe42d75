// A connection with a deadline, for a probe.
#ifndef WORMHOLE_CLIENT_STREAM_PROBE_SOCKET_H_
#define WORMHOLE_CLIENT_STREAM_PROBE_SOCKET_H_

#include <sys/socket.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "client/stream/route.h"
#include "proto/sync/threads.h"

namespace wormhole {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

// Where `route` leads to: the proxy's addresses, or those of `relay`. Empty when there are none, or
// the deadline is over before they are known. Asks the system on one of `threads`.
std::vector<SocketAddress> AddressesOf(const Route& route, std::string_view relay,
                                       std::chrono::steady_clock::time_point deadline,
                                       sync::Threads& threads);

// Not thread-safe. Everything fails once the deadline is over.
class ProbeSocket {
 public:
  explicit ProbeSocket(std::chrono::steady_clock::time_point deadline) : deadline_(deadline) {}
  ~ProbeSocket();
  ProbeSocket(const ProbeSocket&) = delete;
  ProbeSocket& operator=(const ProbeSocket&) = delete;

  bool Connect(const SocketAddress& address);
  // Connecting has shown that this machine has no route to that kind of address, most often IPv6:
  // waiting does not change that.
  bool no_route() const { return no_route_; }
  bool Send(std::string_view bytes);
  // The next bytes, at most 4 KiB; empty when the other end has closed or cut the connection, or
  // the deadline is over.
  std::string Receive();
  // Waits for POLLIN or POLLOUT.
  bool Wait(int events);
  bool expired() const { return std::chrono::steady_clock::now() >= deadline_; }
  int fd() const { return fd_; }

  // Asks the proxy at the other end for the relay. False when it refuses.
  bool AskProxy(const Route& route);

 private:
  const std::chrono::steady_clock::time_point deadline_;
  int fd_ = -1;
  bool no_route_ = false;
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_PROBE_SOCKET_H_
