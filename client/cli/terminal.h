// The terminal as a place to ask people something.
#ifndef WORMHOLE_CLIENT_CLI_TERMINAL_H_
#define WORMHOLE_CLIENT_CLI_TERMINAL_H_

#include <termios.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/file_descriptor.h"
#include "client/cli/interrupt.h"

namespace wormhole::cli {

// The most columns for a row of the terminal `fd`: all but one, since some terminals wrap after the
// last. 79 when `fd` is no terminal.
size_t UsableColumns(int fd);

// Where questions go and answers come from.
class Asker {
 public:
  // For the code: standard input, unless the data comes from there and it is no terminal; then
  // /dev/tty. INVALID_ARGUMENT when neither is there.
  static absl::StatusOr<Asker> ForCode(bool stdin_has_data);
  // For a decision about safety: /dev/tty, and only without one standard input, if it is free.
  static absl::StatusOr<Asker> ForVerifier(bool stdin_has_data);

  int input() const { return input_; }
  bool terminal() const { return terminal_; }
  // On a terminal: drops what people have typed or pasted before now, so that only an answer to the
  // next question can count.
  void DiscardPendingInput() const;
  // Writes the text as it is: the caller escapes what is not ours.
  void Write(std::string_view text, const Interrupt& interrupt) const;
  // The most columns for a row of its output.
  size_t columns() const;

 private:
  Asker() = default;
  static Asker FromStdin();
  static std::optional<Asker> FromTty();
  void ChooseOutput();

  FileDescriptor tty_;
  int input_ = -1;
  int output_ = -1;
  bool terminal_ = false;
};

// Reads up to the next line feed, byte by byte: what follows belongs to somebody else.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}

  enum class State { kMore, kLine, kEnd };
  // One byte; waits for it, or is Interrupted(). kLine: line() is whole, and the next call begins
  // a new one. kEnd: the input is over, or the line has more than 1024 bytes.
  absl::StatusOr<State> ReadByte(Interrupt& interrupt);
  const std::string& line() const { return line_; }

 private:
  const int fd_;
  bool whole_ = false;
  std::string line_;
};

// A terminal that hands over each key at once and shows none, while this lives. Ctrl-C still
// sends its signal.
class KeyMode {
 public:
  explicit KeyMode(int fd);
  ~KeyMode();
  KeyMode(const KeyMode&) = delete;
  KeyMode& operator=(const KeyMode&) = delete;

 private:
  const int fd_;
  termios before_ = {};
  bool changed_ = false;
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_TERMINAL_H_
