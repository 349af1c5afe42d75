// The relay's binary, which can be killed and comes back on its port.
#ifndef WORMHOLE_TESTS_FAULTS_RELAY_H_
#define WORMHOLE_TESTS_FAULTS_RELAY_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/relay_process.h"
#include "tests/support/reserved_port.h"

namespace wormhole::faults {

// From one thread at a time.
class Relay {
 public:
  struct Options {
    std::string store;               // as --store takes it
    std::vector<std::string> flags;  // others
    testing::RelayProcess::Variables environment;
    // Where it listens, and what its command line begins with, when it runs on a host of its own.
    std::string address = {};  // empty: on a loopback port
    std::vector<std::string> runner = {};
  };

  explicit Relay(Options options);

  // Waits until it serves; false when it ended instead.
  bool Start();
  // SIGKILL, and waits until it is gone.
  void Kill() { process_->Kill(); }
  // SIGTERM; the exit status.
  int Stop() { return process_->Stop(); }
  // Waits for the end; the exit status, or 128 + the signal.
  int AwaitExit() { return process_->AwaitExit(); }

  const std::string& address() const {
    return options_.address.empty() ? port_.host_port() : options_.address;
  }
  testing::RelayProcess& process() { return *process_; }

 private:
  const Options options_;
  testing::ReservedPort port_;
  std::unique_ptr<testing::RelayProcess> process_;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_RELAY_H_
