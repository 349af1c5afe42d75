#ifndef WORMHOLE_TESTS_SUPPORT_MUTE_H_
#define WORMHOLE_TESTS_SUPPORT_MUTE_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace wormhole::testing {

// A relay that takes connections and never says a word.
class Mute {
 public:
  Mute() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, raw, size) != 0 || listen(socket_, 100) != 0 ||
        getsockname(socket_, raw, &size) != 0) {
      abort();
    }
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Mute() {
    if (peer_ >= 0) close(peer_);
    close(socket_);
  }
  Mute(const Mute&) = delete;
  Mute& operator=(const Mute&) = delete;
  const std::string& address() const { return address_; }

  // Takes the first connection, and waits until something has come on it.
  void AwaitFirstBytes() {
    peer_ = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    pollfd ready = {.fd = peer_, .events = POLLIN, .revents = 0};
    while (poll(&ready, 1, -1) != 1) {
    }
  }

 private:
  const int socket_;
  int peer_ = -1;
  std::string address_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_MUTE_H_
