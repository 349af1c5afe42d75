#include "relay/server/listen_address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

absl::Status Refuse(const std::string& listen, const std::string& why, const char* next) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", listen, ": ", why, "; ", next));
}

// errno of the failure, or 0.
int TryBind(const addrinfo& address) {
  const int fd = socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int on = 1;
  // As gRPC does: without it, lingering connections of an earlier relay would make bind fail.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const int error = bind(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  close(fd);
  return error;
}

}  // namespace

absl::Status ProbeListen(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int resolved = getaddrinfo(host.c_str(), listen.substr(colon + 1).c_str(), &hints, &found);
  if (resolved != 0) return Refuse(listen, gai_strerror(resolved), "give an address of this host");
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  bool bound = false;
  int last_error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int error = TryBind(*address);
    if (error == EADDRINUSE) {
      return Refuse(listen, "the port is taken", "stop what uses it, or give another port");
    }
    bound = bound || error == 0;
    if (error != 0) last_error = error;
  }
  // A host without IPv6 has no [::], where gRPC then takes 0.0.0.0 instead.
  if (bound || last_error == EAFNOSUPPORT || host == "::") return absl::OkStatus();
  return Refuse(listen, std::generic_category().message(last_error),
                "give an address of this host and a port that this user may use");
}

std::string WithPort(const std::string& listen, int port) {
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

}  // namespace wormhole::relay
