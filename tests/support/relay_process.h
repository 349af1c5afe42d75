// The relay's binary as a child process, which dies with the test. The one fixture for it: where
// the program lies, what a relay of a test is told, and what it prints once it serves.
#ifndef WORMHOLE_TESTS_SUPPORT_RELAY_PROCESS_H_
#define WORMHOLE_TESTS_SUPPORT_RELAY_PROCESS_H_

#include <string>
#include <utility>
#include <vector>

#include "tests/support/child_process.h"

namespace wormhole::testing {

// From one thread at a time.
class RelayProcess {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;

  struct Options {
    std::vector<std::string> flags;
    Variables environment = {};            // beside the test's own
    std::vector<std::string> runner = {};  // what its command line begins with: a shell, `ip netns`
    std::string program = "relay/wormhole-relay";  // where Bazel puts it for a test
  };

  // Starts the relay; without an admin port, which only one relay of a machine can have by default,
  // unless the flags give it one.
  explicit RelayProcess(Options options);
  explicit RelayProcess(std::vector<std::string> flags, Variables environment = {});

  // ADDRESS:PORT of `listening on ADDRESS:PORT`; empty when it ended without.
  std::string AwaitListening() { return AwaitLine("listening on "); }
  // The rest of the line on standard output that begins so.
  std::string AwaitLine(const std::string& prefix);
  // Whether `text` comes on standard error; false when the process ended without.
  bool AwaitError(const std::string& text);

  pid_t pid() const { return child_.pid(); }
  void Signal(int signal) { child_.Signal(signal); }
  // The exit status, or 128 + the signal that ended it. Stop tells it to drain and waits, as an
  // operator does; Kill does not ask it.
  int AwaitExit() { return child_.WaitForExit(); }
  int Stop();
  int Kill();

  // All of it, once the process has ended.
  const std::string& output() const { return child_.out(); }
  const std::string& error() const { return child_.err(); }

 private:
  ChildProcess child_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_RELAY_PROCESS_H_
