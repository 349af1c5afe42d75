// The relay's binary with everything on that shows what it does.
#ifndef WORMHOLE_TESTS_END_TO_END_WATCHED_RELAY_H_
#define WORMHOLE_TESTS_END_TO_END_WATCHED_RELAY_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/process/child_process.h"

namespace wormhole::testing {

// One place where something can be read.
struct Output {
  std::string name;
  std::string text;
};

class WatchedRelay {
 public:
  // Over a file in `folder`, with `flags` beside its own. The address is empty when it did not
  // start.
  WatchedRelay(const std::string& folder, const std::vector<std::string>& flags);

  const std::string& address() const { return address_; }
  // Every address that it listens on.
  std::vector<std::string> listeners() const { return {address_}; }

  // All that it shows while it runs, and with --print-config.
  std::vector<Output> Look();
  // Ends it with a signal; standard output and standard error are complete then.
  int End(int signal);
  std::vector<Output> Written() const;

 private:
  std::vector<std::string> arguments_;
  std::unique_ptr<ChildProcess> process_;
  std::string address_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_WATCHED_RELAY_H_
