// A client's end of a WebSocket (RFC 6455): as much as a mailbox server of our own child's takes.
#ifndef WORMHOLE_TESTS_BENCH_WEB_SOCKET_H_
#define WORMHOLE_TESTS_BENCH_WEB_SOCKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wormhole::bench {

// Blocks, for ten seconds at most. Not thread-safe.
class WebSocket {
 public:
  // Connects to 127.0.0.1; nothing works if that fails.
  WebSocket(uint16_t port, std::string_view path);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // One message. False when the connection is broken.
  bool Send(std::string_view text);
  // The next message; nothing when the server closes, or says nothing.
  std::optional<std::string> Receive();
  // Says goodbye, and waits until the server has closed the connection. False when it has not.
  bool Close();

 private:
  struct Frame {
    uint8_t opcode = 0;
    std::string payload;
  };

  bool Connect(uint16_t port);
  bool ShakeHands(uint16_t port, std::string_view path);
  bool SendFrame(uint8_t opcode, std::string_view payload);
  bool SendAll(std::string_view bytes);
  std::optional<Frame> ReceiveFrame();
  // Whether so many bytes are there to be taken.
  bool Fill(size_t bytes);
  std::string Take(size_t bytes);

  const int socket_;
  std::string received_;  // and not yet taken
  bool open_ = false;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_WEB_SOCKET_H_
