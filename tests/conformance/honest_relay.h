// The relay of this tree as a child process, for cases that need one that
// keeps the page.
#ifndef WORMHOLE_TESTS_CONFORMANCE_HONEST_RELAY_H_
#define WORMHOLE_TESTS_CONFORMANCE_HONEST_RELAY_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace wormhole::conformance {

class HonestRelay {
 public:
  // With its memory store unless a flag names one. `{tmp}` in a flag is the test's own folder. Ends
  // the process when there is no such program.
  HonestRelay(const std::string& binary, const std::vector<std::string>& flags);

  const std::string& address() const { return address_; }

 private:
  testing::ChildProcess process_;
  std::string address_;
};

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_HONEST_RELAY_H_
