#include "client/stream/testing/connect_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace wormhole {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int NewSocket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) std::abort();
  return fd;
}

// What one end has sent, to the other. False when there is no more.
bool Pass(int from, int to) {
  char buffer[16384];
  const ssize_t size = recv(from, buffer, sizeof(buffer), 0);
  return size > 0 && send(to, buffer, static_cast<size_t>(size), MSG_NOSIGNAL) == size;
}

std::string ReadHead(int client) {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    char c = 0;
    if (recv(client, &c, 1, 0) != 1) break;
    head += c;
  }
  return head;
}

}  // namespace

ConnectProxy::ConnectProxy(int port, std::string answer)
    : port_(port), answer_(std::move(answer)), listener_(NewSocket()) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, raw, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, raw, &size) != 0) {
    std::abort();
  }
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  acceptor_ = std::thread([this] { Accept(); });
}

ConnectProxy::~ConnectProxy() {
  {
    sync::MutexLock lock(mutex_);
    stopping_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& server : servers_) server.join();
  sync::MutexLock lock(mutex_);
  for (const int socket : sockets_) close(socket);
  close(listener_);
}

std::vector<std::string> ConnectProxy::requests() const {
  sync::MutexLock lock(mutex_);
  return requests_;
}

void ConnectProxy::Freeze() {
  sync::MutexLock lock(mutex_);
  frozen_ = requests_.size();
}

bool ConnectProxy::Frozen(size_t request) const {
  sync::MutexLock lock(mutex_);
  return request < frozen_;
}

void ConnectProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    if (Keep(client)) servers_.emplace_back([this, client] { Serve(client); });
  }
}

bool ConnectProxy::Keep(int socket) {
  sync::MutexLock lock(mutex_);
  sockets_.push_back(socket);
  if (stopping_) shutdown(socket, SHUT_RDWR);
  return !stopping_;
}

int ConnectProxy::Connect() {
  const int server = NewSocket();
  const sockaddr_in address = Loopback(port_);
  if (!Keep(server) ||
      connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return -1;
  }
  return server;
}

void ConnectProxy::Serve(int client) {
  const std::string head = ReadHead(client);
  size_t request = 0;
  {
    sync::MutexLock lock(mutex_);
    request = requests_.size();
    requests_.push_back(head);
  }
  const std::string answer = "HTTP/1.1 " + answer_ + "\r\n\r\n";
  send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
  const int server = answer_.starts_with("200") ? Connect() : -1;
  pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
  bool open = server >= 0;
  while (open && poll(ends, 2, -1) >= 0) {
    if (Frozen(request)) return;
    if (ends[0].revents != 0) open = Pass(client, server);
    if (open && ends[1].revents != 0) open = Pass(server, client);
  }
  shutdown(client, SHUT_RDWR);
  if (server >= 0) shutdown(server, SHUT_RDWR);
}

}  // namespace wormhole
