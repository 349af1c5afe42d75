// A proxy that reads HTTP/2 as far as frames have borders, and cuts one connection at one of them.
#ifndef WORMHOLE_TESTS_FAULTS_CUTTING_PROXY_H_
#define WORMHOLE_TESTS_FAULTS_CUTTING_PROXY_H_

#include <atomic>
#include <string>

#include "tests/faults/tcp_proxy.h"

namespace wormhole::faults {

struct Cut {
  bool towards_relay = true;  // the direction whose frames are counted
  int after_frames = 1;       // over all connections; the client's preface counts as one
  bool reset = false;         // as in TcpProxy::Options
};

// Both sockets of the connection are closed right after that frame has been passed on. Connections
// after that are left alone.
class CuttingProxy {
 public:
  CuttingProxy(const std::string& relay, Cut cut);

  const std::string& address() const { return proxy_.address(); }
  bool has_cut() const { return has_cut_; }

 private:
  TcpProxy::Filter MakeFilter();
  // Counts a frame; true when it is the one to cut after.
  bool IsLast(bool towards_relay);

  const Cut cut_;
  std::atomic<int> frames_ = 0;
  std::atomic<bool> has_cut_ = false;
  TcpProxy proxy_;  // last: its threads use the others
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_CUTTING_PROXY_H_
