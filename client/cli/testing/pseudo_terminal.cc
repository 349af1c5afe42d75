#include "client/cli/testing/pseudo_terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace wormhole::cli {
namespace {

constexpr int kPatienceMilliseconds = 60000;

}  // namespace

PseudoTerminal::PseudoTerminal() {
  int person = -1;
  int program = -1;
  if (openpty(&person, &program, nullptr, nullptr, nullptr) != 0) {
    perror("openpty");
    abort();
  }
  fcntl(person, F_SETFD, FD_CLOEXEC);
  person_ = FileDescriptor(person);
  program_ = FileDescriptor(program);
}

void PseudoTerminal::SetColumns(unsigned columns) {
  winsize size = {};
  size.ws_col = static_cast<unsigned short>(columns);  // NOLINT(google-runtime-int)
  if (ioctl(person_.get(), TIOCSWINSZ, &size) != 0) {
    perror("TIOCSWINSZ");
    abort();
  }
}

void PseudoTerminal::Press(std::string_view keys) {
  if (write(person_.get(), keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
    perror("pseudo terminal");
    abort();
  }
}

bool PseudoTerminal::WaitFor(std::string_view text) {
  while (true) {
    const size_t at = output_.find(text, seen_);
    if (at != std::string::npos) {
      seen_ = at + text.size();
      return true;
    }
    if (!Read()) return false;
  }
}

void PseudoTerminal::ReadToEnd() {
  while (Read()) {
  }
}

bool PseudoTerminal::Read() {
  pollfd entry = {person_.get(), POLLIN, 0};
  if (poll(&entry, 1, kPatienceMilliseconds) <= 0) return false;
  char buffer[4096];
  // EIO is how the end of the other side shows.
  const ssize_t count = read(person_.get(), buffer, sizeof(buffer));
  if (count <= 0) return false;
  output_.append(buffer, static_cast<size_t>(count));
  return true;
}

}  // namespace wormhole::cli
