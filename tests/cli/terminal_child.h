// A child process whose standard files are a terminal of its own.
#ifndef WORMHOLE_TESTS_CLI_TERMINAL_CHILD_H_
#define WORMHOLE_TESTS_CLI_TERMINAL_CHILD_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "client/cli/testing/pseudo_terminal.h"

namespace wormhole::testing {

// For one thread. Dies with the test.
class TerminalChild {
 public:
  struct Options {
    std::vector<std::string> arguments;    // [0] is the program's path
    std::vector<std::string> environment;  // NAME=VALUE, before the test's own
    unsigned columns = 0;                  // 0: the terminal does not say
  };

  explicit TerminalChild(Options options);
  ~TerminalChild();
  TerminalChild(const TerminalChild&) = delete;
  TerminalChild& operator=(const TerminalChild&) = delete;

  void Press(std::string_view keys) { terminal_.Press(keys); }
  // Waits until the text comes up, after that of the last successful wait.
  bool WaitFor(std::string_view text) { return terminal_.WaitFor(text); }
  // The rest of the line after `prefix`, which comes up next.
  std::string WaitForLine(std::string_view prefix);
  // The exit code, or 128 + the number of the signal that ended it.
  int WaitForExit();
  const std::string& screen() const { return terminal_.output(); }
  pid_t pid() const { return pid_; }

 private:
  cli::PseudoTerminal terminal_;
  pid_t pid_ = -1;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_CLI_TERMINAL_CHILD_H_
