#include "tests/support/reserved_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace wormhole::testing {
namespace {

void OrDie(bool ok, const char* what) {
  if (ok) return;
  perror(what);
  abort();
}

// A socket that is bound to the port, of the kernel's choice if it is 0; -1 when it is taken.
int Bind(const std::string& address, uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  OrDie(fd >= 0, "socket");
  const int on = 1;
  OrDie(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0, "SO_REUSEADDR");
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  OrDie(inet_pton(AF_INET, address.c_str(), &place.sin_addr) == 1, address.c_str());
  if (bind(fd, reinterpret_cast<sockaddr*>(&place), sizeof(place)) == 0) return fd;
  OrDie(port != 0, "bind");
  close(fd);
  return -1;
}

}  // namespace

ReservedPort::ReservedPort(const std::string& address) : ReservedPort(address, Bind(address, 0)) {}

ReservedPort::ReservedPort(const std::string& address, int fd) : fd_(fd) {
  host_port_ = address + ":" + std::to_string(port());
}

ReservedPort::~ReservedPort() { close(fd_); }

uint16_t ReservedPort::port() const {
  sockaddr_in place{};
  socklen_t size = sizeof(place);
  OrDie(getsockname(fd_, reinterpret_cast<sockaddr*>(&place), &size) == 0, "getsockname");
  return ntohs(place.sin_port);
}

std::vector<std::unique_ptr<ReservedPort>> ReservedPort::AtEach(
    const std::vector<std::string>& addresses) {
  std::vector<std::unique_ptr<ReservedPort>> ports;
  while (ports.size() < addresses.size()) {
    const std::string& address = addresses[ports.size()];
    const int fd = Bind(address, ports.empty() ? 0 : ports.front()->port());
    if (fd < 0) {
      ports.clear();  // somebody has it there: another one
    } else {
      ports.emplace_back(new ReservedPort(address, fd));
    }
  }
  return ports;
}

}  // namespace wormhole::testing
