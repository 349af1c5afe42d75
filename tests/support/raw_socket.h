// A TCP connection that says what the test says, and nothing by itself.
#ifndef WORMHOLE_TESTS_SUPPORT_RAW_SOCKET_H_
#define WORMHOLE_TESTS_SUPPORT_RAW_SOCKET_H_

#include <string>
#include <string_view>
#include <utility>

namespace wormhole::testing {

// Not thread-safe. Closed by the destructor.
class RawSocket {
 public:
  // Connects to IPV4:PORT, from this address of the machine's; "": from any. A failure fails the
  // test.
  static RawSocket Connect(const std::string& address, const std::string& from = "");
  ~RawSocket();
  RawSocket(RawSocket&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  RawSocket& operator=(RawSocket&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }

  // False when the other end has gone.
  bool Send(std::string_view bytes);
  // So many bytes; fewer when the other end has gone or the patience is over.
  std::string Receive(size_t size);
  // Whether the other end resets the connection, or closes it, before the patience is over.
  bool AwaitReset();
  bool AwaitClosed();

 private:
  explicit RawSocket(int socket) : socket_(socket) {}
  // errno, or 0 when `bytes` has what came; none of it means that the stream has ended.
  int ReceiveSome(size_t most, std::string& bytes);

  int socket_ = -1;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_RAW_SOCKET_H_
