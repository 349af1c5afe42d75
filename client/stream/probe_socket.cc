#include "client/stream/probe_socket.h"

#include <netdb.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/stream/relay_address.h"
#include "proto/net/percent.h"

namespace wormhole {
namespace {

constexpr size_t kMaxHead = 8192;

using Deadline = std::chrono::steady_clock::time_point;

std::vector<SocketAddress> Resolve(const std::string& host, uint16_t port) {
  std::vector<SocketAddress> addresses;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    addresses.push_back(address);
  }
  return addresses;
}

// The system asks one name server after the other, for half a minute if need be, and nothing stops
// it. So a thread of its own asks the system, and this leaves that thread alone at the deadline.
// Only one probe of a relay runs at a time, so that few such threads are ever left.
void ResolveUntil(Deadline deadline, const std::string& host, uint16_t port, sync::Threads& threads,
                  std::vector<SocketAddress>* addresses) {
  if (std::chrono::steady_clock::now() >= deadline) return;
  auto promise = std::make_shared<std::promise<std::vector<SocketAddress>>>();
  auto answer = promise->get_future();
  const auto resolve = [promise, host, port] { promise->set_value(Resolve(host, port)); };
  if (!threads.Start("wormhole-lookup", resolve)) return;
  if (answer.wait_until(deadline) != std::future_status::ready) return;
  for (const SocketAddress& address : answer.get()) addresses->push_back(address);
}

// unix:PATH, unix:///PATH or unix-abstract:NAME.
SocketAddress UnixAddress(std::string_view relay) {
  const bool abstract = relay.starts_with("unix-abstract:");
  std::string_view path = relay.substr(relay.find(':') + 1);
  if (!abstract && path.starts_with("//")) path.remove_prefix(2);
  SocketAddress address;
  auto* local = reinterpret_cast<sockaddr_un*>(&address.storage);
  local->sun_family = AF_UNIX;
  const size_t skip = abstract ? 1 : 0;
  const size_t size = std::min(path.size(), sizeof(local->sun_path) - 1 - skip);
  std::memcpy(local->sun_path + skip, path.data(), size);
  address.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + skip + size + (abstract ? 0 : 1));
  return address;
}

}  // namespace

std::vector<SocketAddress> AddressesOf(const Route& route, std::string_view relay,
                                       Deadline deadline, sync::Threads& threads) {
  std::vector<SocketAddress> addresses;
  if (route.proxy.has_value()) {
    ResolveUntil(deadline, route.proxy->host, route.proxy->port, threads, &addresses);
    return addresses;
  }
  // The target is one address of the relay's list, or written for gRPC alone.
  auto parsed = ParseRelayAddress(net::PercentDecoded(route.target));
  if (!parsed.ok()) parsed = ParseRelayAddress(relay);
  // The name server that a relay's address names may say something else than this machine's.
  if (!parsed.ok() || !parsed->own_resolver) return addresses;
  if (parsed->socket) return {UnixAddress(relay)};
  for (const Endpoint& endpoint : parsed->endpoints) {
    const std::string zone = endpoint.zone.empty() ? "" : absl::StrCat("%", endpoint.zone);
    ResolveUntil(deadline, absl::StrCat(endpoint.host, zone), endpoint.port, threads, &addresses);
  }
  return addresses;
}

ProbeSocket::~ProbeSocket() {
  if (fd_ >= 0) close(fd_);
}

bool ProbeSocket::Wait(int events) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline_ - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd entry = {fd_, static_cast<int16_t>(events), 0};
    const int ready = poll(&entry, 1, static_cast<int>(left.count()) + 1);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool ProbeSocket::Connect(const SocketAddress& address) {
  const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
  fd_ = socket(raw->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ >= 0 && connect(fd_, raw, address.size) == 0) return true;
  no_route_ = errno == ENETUNREACH || errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT;
  if (fd_ < 0 || errno != EINPROGRESS || !Wait(POLLOUT)) return false;
  int error = 0;
  socklen_t size = sizeof(error);
  return getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

bool ProbeSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno != EINTR && (errno != EAGAIN || !Wait(POLLOUT))) {
      return false;
    }
  }
  return true;
}

std::string ProbeSocket::Receive() {
  char buffer[4096];
  while (Wait(POLLIN)) {
    const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
    if (size >= 0) return std::string(buffer, static_cast<size_t>(size));
    if (errno != EINTR && errno != EAGAIN) break;
  }
  return "";
}

bool ProbeSocket::AskProxy(const Route& route) {
  const std::string credentials =
      route.proxy->credentials.empty()
          ? ""
          : absl::StrCat("Proxy-Authorization: Basic ",
                         absl::Base64Escape(route.proxy->credentials), "\r\n");
  if (!Send(absl::StrCat("CONNECT ", route.connect_to, " HTTP/1.1\r\nHost: ", route.connect_to,
                         "\r\n", credentials, "\r\n"))) {
    return false;
  }
  // Reads single bytes: what follows the head is the relay's.
  std::string head;
  while (head.size() < kMaxHead && !head.ends_with("\r\n\r\n")) {
    char c = 0;
    if (!Wait(POLLIN) || recv(fd_, &c, 1, 0) != 1) return false;
    head += c;
  }
  return head.starts_with("HTTP/1.") && head.substr(8, 2) == " 2";
}

}  // namespace wormhole
