#include "client/cli/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

constexpr size_t kMaxLineBytes = 1024;

absl::Status NowhereToAsk(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

}  // namespace

size_t UsableColumns(int fd) {
  winsize size = {};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 79;
  return size.ws_col - 1u;
}

absl::StatusOr<Asker> Asker::ForCode(bool stdin_has_data) {
  if (!stdin_has_data || isatty(STDIN_FILENO) == 1) return FromStdin();
  if (std::optional<Asker> tty = FromTty()) return *std::move(tty);
  return NowhereToAsk(
      "there is no terminal to ask for the code, and standard input has the data; give the code "
      "on the command line, or the data by --file");
}

absl::StatusOr<Asker> Asker::ForVerifier(bool stdin_has_data) {
  if (std::optional<Asker> tty = FromTty()) return *std::move(tty);
  if (!stdin_has_data) return FromStdin();
  return NowhereToAsk(
      "there is no terminal for the question of --verify, and standard input has the data; give "
      "the data by --file, so that standard input can have the answer");
}

Asker Asker::FromStdin() {
  Asker asker;
  asker.input_ = STDIN_FILENO;
  asker.terminal_ = isatty(STDIN_FILENO) == 1;
  asker.ChooseOutput();
  return asker;
}

std::optional<Asker> Asker::FromTty() {
  Asker asker;
  asker.tty_ = FileDescriptor(open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (!asker.tty_.valid()) return std::nullopt;
  asker.input_ = asker.tty_.get();
  asker.terminal_ = true;
  asker.ChooseOutput();
  return asker;
}

// Standard error, unless people would not see it there.
void Asker::ChooseOutput() {
  output_ = terminal_ && isatty(STDERR_FILENO) != 1 ? input_ : STDERR_FILENO;
}

void Asker::DiscardPendingInput() const {
  if (terminal_) tcflush(input_, TCIFLUSH);
}

void Asker::Write(std::string_view text, const Interrupt& interrupt) const {
  WriteToPeople(output_, text, interrupt);
}

size_t Asker::columns() const { return UsableColumns(output_); }

absl::StatusOr<LineReader::State> LineReader::ReadByte(Interrupt& interrupt) {
  if (std::exchange(whole_, false)) line_.clear();
  char byte = 0;
  absl::StatusOr<size_t> count = ReadSome(fd_, &byte, 1, interrupt);
  if (!count.ok()) return count.status();
  if (*count == 0 || line_.size() >= kMaxLineBytes) return State::kEnd;
  if (byte != '\n') {
    line_ += byte;
    return State::kMore;
  }
  whole_ = true;
  return State::kLine;
}

KeyMode::KeyMode(int fd) : fd_(fd) {
  if (tcgetattr(fd, &before_) != 0) return;
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  keys.c_iflag &= ~static_cast<tcflag_t>(IXON);
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
  // A program that is suspended, or ended by Ctrl-\, would leave the terminal like this.
  keys.c_cc[VSUSP] = _POSIX_VDISABLE;
  keys.c_cc[VQUIT] = _POSIX_VDISABLE;
  changed_ = tcsetattr(fd, TCSANOW, &keys) == 0;
}

KeyMode::~KeyMode() {
  if (changed_) tcsetattr(fd_, TCSANOW, &before_);
}

}  // namespace wormhole::cli
