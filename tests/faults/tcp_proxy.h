// A TCP proxy on loopback that can hold back everything, as a network does that drops packets, or
// look at what it passes on.
#ifndef WORMHOLE_TESTS_FAULTS_TCP_PROXY_H_
#define WORMHOLE_TESTS_FAULTS_TCP_PROXY_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace wormhole::faults {

// Any thread. Connections end with the proxy.
class TcpProxy {
 public:
  using Send = std::function<bool(const std::string& bytes)>;
  // What becomes of bytes from one end: passed on with `send`, whose false it gives back, or the
  // connection is ended by a false of its own.
  using Filter =
      std::function<bool(bool towards_server, const std::string& bytes, const Send& send)>;

  struct Options {
    std::function<Filter()> make_filter;  // for each connection; empty: all is passed on
    bool reset = false;  // a filter's end is RST, which drops what is under way; else FIN
  };

  // `server` is ADDRESS:PORT, IPv4.
  explicit TcpProxy(std::string server) : TcpProxy(std::move(server), Options()) {}
  TcpProxy(std::string server, Options options);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  const std::string& address() const { return address_; }

  // From now on nothing is passed on, and nobody is told; connections are accepted and lead
  // nowhere. Until Release, when all of it arrives.
  void Hold();
  void Release();

 private:
  void Accept();
  void Serve(int client);
  // Whether the filter or an error ended it, rather than one of the ends.
  bool Exchange(int client, int server, const Filter& filter);
  // False when the proxy is to end.
  bool AwaitRelease();
  void Open(int socket);
  void Close(int socket, bool reset);

  const std::string server_;
  const Options options_;
  const int listener_;
  const std::string address_;

  std::mutex mutex_;
  std::condition_variable released_;
  bool held_ = false;
  bool stopping_ = false;
  std::set<int> open_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;  // last: it uses the others
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_TCP_PROXY_H_
