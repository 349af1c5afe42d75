#include "tests/bench/web_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <utility>

namespace wormhole::bench {
namespace {

constexpr uint8_t kText = 1;
constexpr uint8_t kClose = 8;
constexpr uint8_t kFin = 0x80;
constexpr uint8_t kMasked = 0x80;
constexpr size_t kSmall = 125;      // more than that: the size follows in two bytes,
constexpr uint8_t kTwoBytes = 126;  // which this stands for

}  // namespace

WebSocket::WebSocket(uint16_t port, std::string_view path)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  open_ = Connect(port) && ShakeHands(port, path);
}

WebSocket::~WebSocket() { close(socket_); }

bool WebSocket::Send(std::string_view text) { return open_ && SendFrame(kText, text); }

std::optional<std::string> WebSocket::Receive() {
  while (open_) {
    std::optional<Frame> frame = ReceiveFrame();
    if (!frame || frame->opcode == kClose) open_ = false;
    if (open_ && frame->opcode == kText) return std::move(frame->payload);
    // A ping, which asks once a minute and waits ten for the answer.
  }
  return std::nullopt;
}

bool WebSocket::Close() {
  if (!open_ || !SendFrame(kClose, "")) return false;
  while (Receive()) {
  }
  char more = 0;
  return recv(socket_, &more, sizeof(more), 0) == 0;
}

bool WebSocket::Connect(uint16_t port) {
  const timeval patience = {.tv_sec = 10, .tv_usec = 0};
  const int on = 1;
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in server = {};
  server.sin_family = AF_INET;
  server.sin_port = htons(port);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(socket_, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) == 0;
}

// The key and its answer protect from caches and from servers of something else, and are not
// checked: there is nobody between this and a child process.
bool WebSocket::ShakeHands(uint16_t port, std::string_view path) {
  const std::string request = "GET " + std::string(path) +
                              " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\n";
  if (!SendAll(request)) return false;
  size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(received_.size() + 1)) return false;
  }
  return Take(end + 4).rfind("HTTP/1.1 101", 0) == 0;
}

// What a client sends has to be masked. With zeros it is, and stays as it was: masks hide bytes
// from proxies, of which there are none.
bool WebSocket::SendFrame(uint8_t opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(kFin | opcode));
  if (payload.size() <= kSmall) {
    frame += static_cast<char>(kMasked | payload.size());
  } else {
    frame += static_cast<char>(kMasked | kTwoBytes);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size() & 0xff);
  }
  frame.append(4, '\0');
  frame += payload;
  return SendAll(frame);
}

bool WebSocket::SendAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// Messages of a mailbox server are whole, and smaller than 64 KiB.
std::optional<WebSocket::Frame> WebSocket::ReceiveFrame() {
  if (!Fill(2)) return std::nullopt;
  const std::string head = Take(2);
  const auto byte = [](char c) { return static_cast<uint8_t>(c); };
  size_t size = byte(head[1]);
  if (size > kTwoBytes) return std::nullopt;
  if (size == kTwoBytes) {
    if (!Fill(2)) return std::nullopt;
    const std::string more = Take(2);
    size = static_cast<size_t>(byte(more[0])) << 8 | byte(more[1]);
  }
  if (!Fill(size)) return std::nullopt;
  return Frame{.opcode = static_cast<uint8_t>(byte(head[0]) & 0x0f), .payload = Take(size)};
}

bool WebSocket::Fill(size_t bytes) {
  while (received_.size() < bytes) {
    char some[4096];
    const ssize_t size = recv(socket_, some, sizeof(some), 0);
    if (size <= 0) return false;
    received_.append(some, static_cast<size_t>(size));
  }
  return true;
}

std::string WebSocket::Take(size_t bytes) {
  std::string taken = received_.substr(0, bytes);
  received_.erase(0, bytes);
  return taken;
}

}  // namespace wormhole::bench
