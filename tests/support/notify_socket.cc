#include "tests/support/notify_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/support/child_process.h"

namespace wormhole::testing {
namespace {

struct Address {
  sockaddr_un socket = {};
  socklen_t size = 0;
};

Address AddressOf(const std::string& name) {
  Address address;
  address.socket.sun_family = AF_UNIX;
  std::copy(name.begin(), name.end(), address.socket.sun_path);
  if (name.front() == '@') address.socket.sun_path[0] = '\0';
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  return address;
}

// The line of `message` that begins with `prefix`; empty: none.
std::string LineOf(const std::string& message, std::string_view prefix) {
  for (size_t at = 0; at < message.size();) {
    const size_t end = std::min(message.find('\n', at), message.size());
    if (std::string line = message.substr(at, end - at); line.starts_with(prefix)) return line;
    at = end + 1;
  }
  return "";
}

}  // namespace

NotifySocket::NotifySocket(std::string name) : name_(std::move(name)) {
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const Address address = AddressOf(name_);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&address.socket), address.size) != 0) {
    std::perror(name_.c_str());
    std::abort();
  }
}

NotifySocket::~NotifySocket() {
  close(fd_);
  if (name_.front() == '/') unlink(name_.c_str());
}

std::string NotifySocket::Take() {
  char buffer[8192];
  const ssize_t size = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
  if (size <= 0) return "";
  return taken_.emplace_back(buffer, static_cast<size_t>(size));
}

std::string NotifySocket::Await(std::string_view prefix) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd readable = {.fd = fd_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&readable, 1, static_cast<int>(left.count())) < 0) return "";
    if (std::string line = LineOf(Take(), prefix); !line.empty()) return line;
  }
}

void NotifySocket::Fill() {
  const Address address = AddressOf(name_);
  const int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  while (sendto(sender, "X=1", 3, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&address.socket),
                address.size) > 0) {
  }
  close(sender);
}

}  // namespace wormhole::testing
