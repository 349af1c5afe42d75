// A terminal for tests: what would be on the screen, and keys to press.
#ifndef WORMHOLE_CLIENT_CLI_TESTING_PSEUDO_TERMINAL_H_
#define WORMHOLE_CLIENT_CLI_TESTING_PSEUDO_TERMINAL_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "client/cli/file_descriptor.h"

namespace wormhole::cli {

// For one thread. Waits are for output, and give up after a minute.
class PseudoTerminal {
 public:
  PseudoTerminal();

  // The program's end.
  int program() const { return program_.get(); }
  // Closes this process's copy of the program's end, so that the end of the program is noticed.
  void CloseProgram() { program_ = FileDescriptor(); }

  void SetColumns(unsigned columns);
  void Press(std::string_view keys);
  // Waits until `text` stands in what came since the last WaitFor that found something.
  bool WaitFor(std::string_view text);
  // Reads until the program's end is closed everywhere.
  void ReadToEnd();
  // All that was written so far.
  const std::string& output() const { return output_; }
  // Where in it the next WaitFor begins to look.
  size_t seen() const { return seen_; }

 private:
  bool Read();

  FileDescriptor person_;
  FileDescriptor program_;
  std::string output_;
  size_t seen_ = 0;
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_TESTING_PSEUDO_TERMINAL_H_
