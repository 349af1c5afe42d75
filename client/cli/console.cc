#include "client/cli/console.h"

#include <unistd.h>

#include "client/cli/escape_for_terminal.h"
#include "client/cli/rows.h"
#include "client/cli/terminal.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kPrefix = "wormhole-sync: ";
constexpr std::string_view kGoesOn = "  | ";
constexpr std::string_view kIndent = "    ";
constexpr std::string_view kEraseLine = "\r\x1b[K";

}  // namespace

Console::Console(int fd, Charset charset, const Interrupt& interrupt)
    : fd_(fd), terminal_(isatty(fd) == 1), charset_(charset), interrupt_(interrupt) {}

Console::~Console() { ClearProgress(); }

size_t Console::columns() const { return UsableColumns(fd_); }

void Console::Print(std::string_view text) {
  if (!progress_.empty()) Write(kEraseLine);
  Write(std::string(text) + "\n");
  DrawProgress();
}

void Console::Note(std::string_view text) {
  const std::string line = EscapeForTerminal(text, Lines::kEscape, charset_);
  Print(terminal_ ? InRows(line, kPrefix, kGoesOn, columns()) : std::string(kPrefix) + line);
}

void Console::Warn(std::string_view text) { Note("warning: " + std::string(text)); }

void Console::NoteCommand(std::string_view text, std::string_view command) {
  if (!terminal_) return Note(std::string(text) + ": " + std::string(command));
  Note(std::string(text) + ":");
  Print(InRows(EscapeForTerminal(command, Lines::kEscape, charset_), kIndent, kGoesOn, columns()));
}

void Console::Progress(std::string_view text) {
  if (!terminal_) return;
  if (!progress_.empty()) Write(kEraseLine);
  progress_ = EscapeForTerminal(text, Lines::kEscape, charset_);
  DrawProgress();
}

void Console::DrawProgress() {
  Write(std::string_view(progress_).substr(0, FittingBytes(progress_, columns())));
}

void Console::ClearProgress() {
  if (!progress_.empty()) Write(kEraseLine);
  progress_.clear();
}

}  // namespace wormhole::cli
