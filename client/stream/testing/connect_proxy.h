// An HTTP proxy on loopback that is asked with CONNECT.
#ifndef WORMHOLE_CLIENT_STREAM_TESTING_CONNECT_PROXY_H_
#define WORMHOLE_CLIENT_STREAM_TESTING_CONNECT_PROXY_H_

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "proto/sync/mutex.h"

namespace wormhole {

// Any thread. Connections end with the proxy.
class ConnectProxy {
 public:
  // Leads to `port` on 127.0.0.1, whatever it is asked for: names of tests are nobody's. With an
  // `answer` other than 200 it refuses.
  explicit ConnectProxy(int port, std::string answer = "200 OK");
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  // 127.0.0.1:PORT
  const std::string& address() const { return address_; }
  // From now on the connections that there are pass nothing on, nor do they end.
  void Freeze();
  // The heads of the requests so far, as they came.
  std::vector<std::string> requests() const;

 private:
  void Accept();
  void Serve(int client);
  // Whether the connection of that request passes nothing on.
  bool Frozen(size_t request) const;
  int Connect();
  // False when the proxy is to end.
  bool Keep(int socket);

  const int port_;
  const std::string answer_;
  int listener_ = -1;
  std::string address_;

  mutable sync::Mutex mutex_;
  bool stopping_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::vector<std::string> requests_ WORMHOLE_GUARDED_BY(mutex_);
  size_t frozen_ WORMHOLE_GUARDED_BY(mutex_) = 0;         // so many, the first
  std::vector<int> sockets_ WORMHOLE_GUARDED_BY(mutex_);  // closed in the end
  std::vector<std::thread> servers_;                      // of acceptor_
  std::thread acceptor_;
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_TESTING_CONNECT_PROXY_H_
