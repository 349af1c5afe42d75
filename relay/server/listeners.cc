#include "relay/server/listeners.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "relay/server/listen_address.h"

namespace wormhole::relay {
namespace {

// Both kinds of address have the port at the same place.
static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

// Whether `fd`, a new socket, listens; errno is set if not.
bool Listen(int fd, const addrinfo& address, uint16_t port, int backlog) {
  sockaddr_storage bound = {};
  std::memcpy(&bound, address.ai_addr, address.ai_addrlen);
  reinterpret_cast<sockaddr_in*>(&bound)->sin_port = htons(port);
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.ai_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  return bind(fd, reinterpret_cast<sockaddr*>(&bound), address.ai_addrlen) == 0 &&
         listen(fd, backlog) == 0;
}

uint16_t PortOf(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace

Listeners::~Listeners() {
  for (const int fd : sockets_) close(fd);
}

absl::Status Listeners::Open(const std::string& listen, int backlog, Zeros zeros) {
  const absl::Status free = ProbeListen(listen);  // says best what is wrong
  if (!free.ok()) return free;
  const size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (host == "0.0.0.0" && zeros == Zeros::kEverything) host = "::";
  uint32_t port = 0;
  if (!absl::SimpleAtoi(listen.substr(colon + 1), &port)) port = 0;  // the flag was a number
  int error = OpenAll(host, static_cast<uint16_t>(port), backlog);
  // Without IPv6 there is no [::], which stands for the other addresses as well.
  if (error != 0 && host == "::") error = OpenAll("0.0.0.0", static_cast<uint16_t>(port), backlog);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", listen, ": ",
                                               std::generic_category().message(error),
                                               "; give another address or port"));
  }
  port_ = PortOf(sockets_.front());
  address_ = WithPort(listen, port_);
  return absl::OkStatus();
}

int Listeners::OpenAll(const std::string& host, uint16_t port, int backlog) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return EADDRNOTAVAIL;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && Listen(fd, *address, port, backlog)) {
      sockets_.push_back(fd);
      port = PortOf(fd);
      continue;
    }
    error = errno;
    if (fd >= 0) close(fd);
  }
  return sockets_.empty() ? error : 0;
}

}  // namespace wormhole::relay
