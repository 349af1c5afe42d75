// A TCP proxy that reads HTTP/2 as far as frames have borders, and cuts one connection at one of
// them.
#ifndef WORMHOLE_TESTS_FAULTS_CUTTING_PROXY_H_
#define WORMHOLE_TESTS_FAULTS_CUTTING_PROXY_H_

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace wormhole::faults {

struct Cut {
  bool towards_relay = true;  // the direction whose frames are counted
  int after_frames = 1;       // over all connections; the client's preface counts as one
  bool reset = false;         // RST, which drops what is under way; else FIN
};

// Both sockets of the connection are closed right after that frame has been passed on. Connections
// after that are left alone.
class CuttingProxy {
 public:
  // `relay` is ADDRESS:PORT, IPv4.
  CuttingProxy(const std::string& relay, Cut cut);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  const std::string& address() const { return address_; }
  bool has_cut() const { return has_cut_; }

 private:
  struct Link;

  void Accept();
  void Serve(int client);
  // Passes on what can be read; false when the connection is to end.
  bool Pass(Link& link, bool towards_relay);
  // Counts a frame; true when it is the one to cut after.
  bool IsLast(bool towards_relay);
  void Close(int socket, bool reset);

  const std::string relay_;
  const Cut cut_;
  int listener_ = -1;
  std::string address_;
  std::atomic<int> frames_ = 0;
  std::atomic<bool> has_cut_ = false;

  std::mutex mutex_;
  bool stopping_ = false;
  std::set<int> open_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;  // last: it uses the others
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_CUTTING_PROXY_H_
