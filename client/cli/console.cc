#include "client/cli/console.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>

#include "client/cli/neutralise.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kPrefix = "wormhole-sync: ";
constexpr std::string_view kEraseLine = "\r\x1b[K";

// At least one column is left free, since some terminals wrap after the last.
size_t UsableColumns(int fd) {
  winsize size = {};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 79;
  return size.ws_col - 1;
}

// The first `columns` characters, counting each as one column.
std::string_view Cut(std::string_view text, size_t columns) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins && characters++ == columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace

Console::Console(int fd) : fd_(fd), terminal_(isatty(fd) == 1) {}

Console::~Console() { ClearProgress(); }

void Console::Print(std::string_view text) {
  if (!progress_.empty()) Write(kEraseLine);
  Write(std::string(text) + "\n");
  DrawProgress();
}

void Console::Note(std::string_view text) {
  Print(std::string(kPrefix) + Neutralise(text, Lines::kEscape));
}

void Console::Warn(std::string_view text) { Note("warning: " + std::string(text)); }

void Console::Progress(std::string_view text) {
  if (!terminal_) return;
  if (!progress_.empty()) Write(kEraseLine);
  progress_ = Neutralise(text, Lines::kEscape);
  DrawProgress();
}

void Console::DrawProgress() { Write(Cut(progress_, UsableColumns(fd_))); }

void Console::ClearProgress() {
  if (!progress_.empty()) Write(kEraseLine);
  progress_.clear();
}

void Console::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd_, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace wormhole::cli
