// Standard error, where everything for people goes.
#ifndef WORMHOLE_CLIENT_CLI_CONSOLE_H_
#define WORMHOLE_CLIENT_CLI_CONSOLE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "client/cli/charset.h"
#include "client/cli/interrupt.h"

namespace wormhole::cli {

// Writes lines, and on a terminal one status line below them, in place of the one before. For one
// thread. WriteToPeople says how long it waits for a reader.
class Console {
 public:
  // `fd` stays the caller's; `interrupt` outlives it.
  Console(int fd, Charset charset, const Interrupt& interrupt);
  // Leaves no status line behind.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  bool is_terminal() const { return terminal_; }
  Charset charset() const { return charset_; }
  // The most columns of a row that the terminal does not break.
  size_t columns() const;

  // Writes lines above the status line as they are: for our own text only.
  void Print(std::string_view text);
  // `wormhole-sync: TEXT`, `wormhole-sync: warning: TEXT`: always one line, harmless whatever is
  // in it. On a terminal in rows, of which those after the first begin with `  | `.
  void Note(std::string_view text);
  void Warn(std::string_view text);
  // `wormhole-sync: TEXT: COMMAND`. On a terminal the command has rows of its own, so that it can
  // be copied.
  void NoteCommand(std::string_view text, std::string_view command);
  // The status line; nothing when this is no terminal. Cut to the terminal's width.
  void Progress(std::string_view text);
  void ClearProgress();

 private:
  void Write(std::string_view text) { WriteToPeople(fd_, text, interrupt_); }
  void DrawProgress();

  const int fd_;
  const bool terminal_;
  const Charset charset_;
  const Interrupt& interrupt_;
  std::string progress_;  // empty: none is shown
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_CONSOLE_H_
