// A client that speaks to a port with plain TCP, and a little HTTP; blocking.
#ifndef WORMHOLE_TESTS_SUPPORT_HTTP_CLIENT_H_
#define WORMHOLE_TESTS_SUPPORT_HTTP_CLIENT_H_

#include <string>
#include <string_view>

namespace wormhole::service_test {

// Calls end after testing::kPatience, so that a test that fails does not hang.
class TcpClient {
 public:
  // `address`: IPV4:PORT or [IPV6]:PORT; [::] and 0.0.0.0 mean this host.
  explicit TcpClient(const std::string& address);
  ~TcpClient();
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  bool connected() const { return connected_; }
  // False when the other side has closed.
  bool Send(std::string_view bytes);
  void EndSending();
  // Everything until the other side closes, or resets.
  std::string ReadToEnd();

 private:
  int socket_ = -1;
  bool connected_ = false;
};

struct HttpResponse {
  int status = 0;    // 0: none came
  std::string head;  // with the status line
  std::string body;
};

HttpResponse ReadHttp(const std::string& text);
HttpResponse HttpGet(const std::string& address, const std::string& path = "/metrics");

}  // namespace wormhole::service_test

#endif  // WORMHOLE_TESTS_SUPPORT_HTTP_CLIENT_H_
