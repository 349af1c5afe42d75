// The relay's binary as a child process, which dies with the test.
#ifndef WORMHOLE_TESTS_SUPPORT_RELAY_PROCESS_H_
#define WORMHOLE_TESTS_SUPPORT_RELAY_PROCESS_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/child_process.h"

namespace wormhole::service_test {

class RelayProcess {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;

  // Starts `wormhole-relay ARGS` with these variables added to the environment; without an admin
  // port, which only one relay of a machine can have by default, unless ARGS give it one.
  explicit RelayProcess(std::vector<std::string> args, Variables variables = {})
      : child_({.arguments = WithProgram(std::move(args)),
                .environment = std::move(variables),
                .input = ""}) {}

  // ADDRESS:PORT of `listening on ADDRESS:PORT`; empty when it ended without.
  std::string AwaitListening() {
    return child_.WaitForLine(testing::ChildProcess::kOut, "listening on ");
  }

  // The rest of the line on standard output that begins so.
  std::string AwaitLine(const std::string& prefix) {
    return child_.WaitForLine(testing::ChildProcess::kOut, prefix);
  }

  pid_t pid() const { return child_.pid(); }
  void Signal(int signal) { child_.Signal(signal); }
  // False when the process ended without.
  bool AwaitError(const std::string& text) {
    return child_.WaitFor(testing::ChildProcess::kErr, text);
  }
  // The exit status, or 128 + the signal that ended it.
  int AwaitExit() { return child_.WaitForExit(); }

  // All of it, once the process has ended.
  const std::string& output() const { return child_.out(); }
  const std::string& error() const { return child_.err(); }

 private:
  static std::vector<std::string> WithProgram(std::vector<std::string> args) {
    const bool admin = std::ranges::any_of(
        args, [](const std::string& arg) { return arg.starts_with("--admin-listen="); });
    if (!admin) args.insert(args.begin(), "--admin-listen=off");
    args.insert(args.begin(), "relay/wormhole-relay");
    return args;
  }

  testing::ChildProcess child_;
};

}  // namespace wormhole::service_test

#endif  // WORMHOLE_TESTS_SUPPORT_RELAY_PROCESS_H_
