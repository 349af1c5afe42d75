#include "tests/faults/tcp_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tests/faults/loopback.h"

namespace wormhole::faults {
namespace {

bool SendAll(int socket, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t size = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    sent += static_cast<size_t>(size);
  }
  return true;
}

TcpProxy::Filter PassAll() {
  return [](bool, const std::string& bytes, const TcpProxy::Send& send) { return send(bytes); };
}

}  // namespace

TcpProxy::TcpProxy(std::string server, Options options)
    : server_(std::move(server)),
      options_(std::move(options)),
      listener_(ListenOnLoopback()),
      address_(AddressOf(listener_)),
      acceptor_([this] { Accept(); }) {}

TcpProxy::~TcpProxy() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    for (const int socket : open_) shutdown(socket, SHUT_RDWR);
    released_.notify_all();
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  threads_.clear();
  close(listener_);
}

void TcpProxy::Hold() {
  const std::scoped_lock lock(mutex_);
  held_ = true;
}

void TcpProxy::Release() {
  const std::scoped_lock lock(mutex_);
  held_ = false;
  released_.notify_all();
}

void TcpProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    Open(client);
    threads_.emplace_back([this, client] { Serve(client); });
  }
}

void TcpProxy::Serve(int client) {
  const int server = AwaitRelease() ? ConnectTo(server_) : -1;
  bool cut = false;
  if (server >= 0) {
    Open(server);
    cut = Exchange(client, server, options_.make_filter ? options_.make_filter() : PassAll());
    Close(server, cut && options_.reset);
  }
  Close(client, cut && options_.reset);
}

bool TcpProxy::Exchange(int client, int server, const Filter& filter) {
  while (true) {
    pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return false;
    if (!AwaitRelease()) return false;
    for (const bool towards_server : {true, false}) {
      if (fds[towards_server ? 0 : 1].revents == 0) continue;
      char buffer[65536];
      const ssize_t size = recv(towards_server ? client : server, buffer, sizeof(buffer), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return false;
      const int to = towards_server ? server : client;
      const Send send = [to](const std::string& bytes) { return SendAll(to, bytes); };
      if (!filter(towards_server, std::string(buffer, static_cast<size_t>(size)), send))
        return true;
    }
  }
}

bool TcpProxy::AwaitRelease() {
  std::unique_lock lock(mutex_);
  released_.wait(lock, [this] { return !held_ || stopping_; });
  return !stopping_;
}

void TcpProxy::Open(int socket) {
  const std::scoped_lock lock(mutex_);
  open_.insert(socket);
  if (stopping_) shutdown(socket, SHUT_RDWR);
}

void TcpProxy::Close(int socket, bool reset) {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  if (reset) setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  const std::scoped_lock lock(mutex_);
  open_.erase(socket);
  close(socket);
}

}  // namespace wormhole::faults
