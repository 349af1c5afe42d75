#include "tests/support/http_client.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "tests/support/child_process.h"

namespace wormhole::service_test {

TcpClient::TcpClient(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0) return;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  socket_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return;
  const timeval patience = {.tv_sec = testing::kPatience.count(), .tv_usec = 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  connected_ = connect(socket_, found->ai_addr, found->ai_addrlen) == 0;
}

TcpClient::~TcpClient() {
  if (socket_ >= 0) close(socket_);
}

bool TcpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

void TcpClient::EndSending() { shutdown(socket_, SHUT_WR); }

std::string TcpClient::ReadToEnd() {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t size; (size = recv(socket_, buffer.data(), buffer.size(), 0)) > 0;) {
    text.append(buffer.data(), static_cast<size_t>(size));
  }
  return text;
}

HttpResponse ReadHttp(const std::string& text) {
  constexpr size_t kCodeAt = sizeof("HTTP/1.1 ") - 1;
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return {};
  return {.status = std::atoi(text.substr(kCodeAt, 3).c_str()),
          .head = text.substr(0, end),
          .body = text.substr(end + 4)};
}

HttpResponse HttpGet(const std::string& address, const std::string& path) {
  TcpClient client(address);
  client.Send("GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\nAccept: */*\r\n\r\n");
  return ReadHttp(client.ReadToEnd());
}

}  // namespace wormhole::service_test
