// A port on loopback for a program that cannot pick one itself, or that has to come back on it.
#ifndef WORMHOLE_TESTS_SUPPORT_RESERVED_PORT_H_
#define WORMHOLE_TESTS_SUPPORT_RESERVED_PORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wormhole::testing {

// The kernel picks it, and gives it to nobody else while this lives: the port stays bound here,
// but not listening, which lets a server listen on it that sets SO_REUSEADDR, as gRPC and Go do.
// While none does, connections are refused.
class ReservedPort {
 public:
  explicit ReservedPort(const std::string& address = "127.0.0.1");
  // One port at each of these addresses, for programs that one name leads to.
  static std::vector<std::unique_ptr<ReservedPort>> AtEach(
      const std::vector<std::string>& addresses);
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  // Bound. A test may listen on it itself, and not answer.
  int fd() const { return fd_; }
  const std::string& host_port() const { return host_port_; }  // 127.0.0.1:41234

 private:
  // Takes a socket that is bound.
  ReservedPort(const std::string& address, int fd);
  uint16_t port() const;

  int fd_ = -1;
  std::string host_port_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_RESERVED_PORT_H_
