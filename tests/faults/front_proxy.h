// haproxy or nginx in front of a relay, in the foreground, on a port that the kernel picked.
#ifndef WORMHOLE_TESTS_FAULTS_FRONT_PROXY_H_
#define WORMHOLE_TESTS_FAULTS_FRONT_PROXY_H_

#include <memory>
#include <string>

#include "tests/support/child_process.h"
#include "tests/support/reserved_port.h"

namespace wormhole::faults {

class FrontProxy {
 public:
  enum class Kind { kHaproxy, kNginx };

  static const char* NameOf(Kind kind);
  // Whether the program is on this machine.
  static bool Exists(Kind kind);

  // Cuts a stream that is silent for `idle_seconds` in either direction. What it writes goes to
  // `folder`. Until it listens connections are refused, and clients try again.
  FrontProxy(Kind kind, const std::string& folder, const std::string& relay, int idle_seconds);

  const std::string& address() const { return port_.host_port(); }
  // What it complained of; ends it.
  std::string Stop();

 private:
  const testing::ReservedPort port_;
  std::unique_ptr<testing::ChildProcess> child_;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_FRONT_PROXY_H_
