#include "tests/cli/terminal_child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wormhole::testing {
namespace {

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void Exec(char** arguments, char** environment, int terminal, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  if (setsid() < 0 || ioctl(terminal, TIOCSCTTY, 0) != 0) _exit(127);
  for (int fd : {0, 1, 2}) dup2(terminal, fd);
  if (terminal > 2) close(terminal);
  signal(SIGPIPE, SIG_DFL);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

TerminalChild::TerminalChild(Options options) {
  if (options.columns != 0) terminal_.SetColumns(options.columns);
  std::vector<char*> arguments = Pointers(options.arguments);
  // The first of a name counts.
  for (char** own = environ; *own != nullptr; ++own) options.environment.emplace_back(*own);
  std::vector<char*> environment = Pointers(options.environment);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) {
    perror("fork");
    abort();
  }
  if (pid_ == 0) Exec(arguments.data(), environment.data(), terminal_.program(), parent);
  terminal_.CloseProgram();
}

TerminalChild::~TerminalChild() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string TerminalChild::WaitForLine(std::string_view prefix) {
  if (!terminal_.WaitFor(prefix)) return "";
  const size_t begin = terminal_.seen();
  if (!terminal_.WaitFor("\r\n")) return "";
  return screen().substr(begin, terminal_.seen() - 2 - begin);
}

int TerminalChild::WaitForExit() {
  terminal_.ReadToEnd();
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace wormhole::testing
