// One request and its answer over HTTP/1.x, on a connection of its own that ends with it. Just
// enough to be scraped: no request body, no keep-alive, no TLS.
#ifndef WORMHOLE_RELAY_HTTP_EXCHANGE_H_
#define WORMHOLE_RELAY_HTTP_EXCHANGE_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace wormhole::relay {

// Longer requests are refused.
inline constexpr size_t kMaxHttpRequest = 8 << 10;

class HttpExchange {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  // The body for GET of `path`, which is served.
  using Page = std::function<std::string()>;

  // Takes `socket`, which does not block, and closes it at its end.
  HttpExchange(int socket, Deadline deadline);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  int socket() const { return socket_; }
  Deadline deadline() const { return deadline_; }
  // What it waits for: to write if true, else to read.
  bool answering() const { return !answer_.empty(); }

  // Reads and writes as much as can be without waiting. `page` is what there is at `path`; it is
  // made when the request is whole. False when the exchange is over, well or not.
  bool Advance(const std::string& path, const Page& page);

 private:
  // What is there, up to kMaxHttpRequest. False when no more will come.
  bool Read();
  // False when all is written, or cannot be.
  bool Write();

  const int socket_;
  const Deadline deadline_;
  std::string request_;
  std::string answer_;
  size_t written_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_HTTP_EXCHANGE_H_
