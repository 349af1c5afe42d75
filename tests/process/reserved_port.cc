#include "tests/process/reserved_port.h"

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

}  // namespace

ReservedPort::ReservedPort(const std::string& address) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  OrDie(fd_ >= 0, "socket");
  const int on = 1;
  OrDie(setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0, "SO_REUSEADDR");
  sockaddr_in place{};
  place.sin_family = AF_INET;
  OrDie(inet_pton(AF_INET, address.c_str(), &place.sin_addr) == 1, address.c_str());
  socklen_t size = sizeof(place);
  OrDie(bind(fd_, reinterpret_cast<sockaddr*>(&place), size) == 0, "bind");
  OrDie(getsockname(fd_, reinterpret_cast<sockaddr*>(&place), &size) == 0, "getsockname");
  host_port_ = address + ":" + std::to_string(ntohs(place.sin_port));
}

ReservedPort::~ReservedPort() { close(fd_); }

}  // namespace wormhole::testing
