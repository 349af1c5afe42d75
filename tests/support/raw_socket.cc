#include "tests/support/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "tests/support/child_process.h"

namespace wormhole::testing {

RawSocket RawSocket::Connect(const std::string& address, const std::string& from) {
  const size_t colon = address.rfind(':');
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  uint32_t port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(colon + 1), &port)) << address;
  to.sin_port = htons(static_cast<uint16_t>(port));
  EXPECT_EQ(inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr), 1) << address;
  RawSocket made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!from.empty()) {
    sockaddr_in source = {};
    source.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, from.c_str(), &source.sin_addr), 1) << from;
    EXPECT_EQ(bind(made.socket_, reinterpret_cast<const sockaddr*>(&source), sizeof(source)), 0)
        << from << " errno " << errno;
  }
  EXPECT_EQ(connect(made.socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0)
      << address << " errno " << errno;
  return made;
}

RawSocket::~RawSocket() {
  if (socket_ >= 0) close(socket_);
}

bool RawSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string RawSocket::Receive(size_t size) {
  std::string all;
  while (all.size() < size) {
    std::string some;
    if (ReceiveSome(size - all.size(), some) != 0 || some.empty()) break;
    all += some;
  }
  return all;
}

bool RawSocket::AwaitReset() {
  std::string some;
  int error = 0;
  while ((error = ReceiveSome(4096, some)) == 0 && !some.empty()) {
  }
  return error == ECONNRESET;
}

bool RawSocket::AwaitClosed() {
  std::string some;
  int error = 0;
  while ((error = ReceiveSome(4096, some)) == 0 && !some.empty()) {
  }
  return error == 0 || error == ECONNRESET;
}

int RawSocket::ReceiveSome(size_t most, std::string& bytes) {
  pollfd readable = {.fd = socket_, .events = POLLIN, .revents = 0};
  const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(kPatience);
  if (poll(&readable, 1, static_cast<int>(patience.count())) != 1) return ETIMEDOUT;
  bytes.resize(most);
  const ssize_t received = recv(socket_, bytes.data(), most, 0);
  bytes.resize(received < 0 ? 0 : static_cast<size_t>(received));
  return received < 0 ? errno : 0;
}

}  // namespace wormhole::testing
