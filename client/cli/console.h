// Standard error, where everything for people goes.
#ifndef WORMHOLE_CLIENT_CLI_CONSOLE_H_
#define WORMHOLE_CLIENT_CLI_CONSOLE_H_

#include <string>
#include <string_view>

namespace wormhole::cli {

// Writes lines, and on a terminal one status line below them that is rewritten in place. For one
// thread. A failing write is ignored: there is nowhere left to complain.
class Console {
 public:
  // `fd` stays the caller's.
  explicit Console(int fd);
  // Leaves no status line behind.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  bool is_terminal() const { return terminal_; }

  // A line, or lines, as they are, above the status line: for our own text only.
  void Print(std::string_view text);
  // `wormhole-sync: TEXT`, `wormhole-sync: warning: TEXT`: always one line, harmless whatever is
  // in it.
  void Note(std::string_view text);
  void Warn(std::string_view text);
  // The status line; nothing when this is no terminal. Cut to the terminal's width.
  void Progress(std::string_view text);
  void ClearProgress();

 private:
  void Write(std::string_view text);
  void DrawProgress();

  const int fd_;
  const bool terminal_;
  std::string progress_;  // empty: none is shown
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_CONSOLE_H_
