#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace wormhole::testing {
namespace {

void OrDie(bool ok, const char* what) {
  if (ok) return;
  perror(what);
  abort();
}

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void Exec(char** arguments, char** environment, const int (&fds)[3], pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  for (int i = 0; i < 3; ++i) dup2(fds[i], i);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

std::vector<std::string> Environment(const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> all;
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    bool replaced = false;
    for (const auto& [name, value] : more) replaced |= text.substr(0, text.find('=')) == name;
    if (!replaced) all.emplace_back(text);
  }
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ChildProcess::ChildProcess(Options options) {
  signal(SIGPIPE, SIG_IGN);
  int in[2], out[2], err[2];
  OrDie(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0,
        "pipe2");
  std::vector<std::string> environment = Environment(options.environment);
  std::vector<char*> argument_pointers = Pointers(options.arguments);
  std::vector<char*> environment_pointers = Pointers(environment);
  const pid_t parent = getpid();
  pid_ = fork();
  OrDie(pid_ >= 0, "fork");
  if (pid_ == 0) {
    Exec(argument_pointers.data(), environment_pointers.data(), {in[0], out[1], err[1]}, parent);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  input_ = in[1];
  output_[kOut] = out[0];
  output_[kErr] = err[0];
  pid_fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  OrDie(pid_fd_ >= 0, "pidfd_open");
  if (!options.input.empty()) WriteInput(options.input);
  if (options.close_input) CloseInput();
}

ChildProcess::~ChildProcess() {
  if (running()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  CloseInput();
  for (int fd : output_) {
    if (fd >= 0) close(fd);
  }
  close(pid_fd_);
}

bool ChildProcess::WaitFor(Stream stream, std::string_view text) {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (text_[stream].find(text) == std::string::npos) {
    if (!Pump(deadline)) return text_[stream].find(text) != std::string::npos;
  }
  return true;
}

std::string ChildProcess::WaitForLine(Stream stream, std::string_view prefix) {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    const std::string& text = text_[stream];
    if (const size_t at = text.find(prefix); at != std::string::npos) {
      const size_t begin = at + prefix.size();
      const size_t end = text.find('\n', begin);
      if (end != std::string::npos) return text.substr(begin, end - begin);
    }
    if (!Pump(deadline)) return "";
  }
}

int ChildProcess::WaitForExit() {
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (running() && Pump(deadline)) {
  }
  return exit_code_.value_or(-1);
}

void ChildProcess::WriteInput(std::string_view text) {
  while (!text.empty() && input_ >= 0) {
    const ssize_t written = write(input_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // it has closed its standard input
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void ChildProcess::CloseInput() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

void ChildProcess::Signal(int signal) {
  if (running()) kill(pid_, signal);
}

bool ChildProcess::Pump(Deadline deadline) {
  if (!running() && output_[kOut] < 0 && output_[kErr] < 0) return false;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  // poll ignores negative descriptors.
  pollfd fds[3] = {{output_[kOut], POLLIN, 0},
                   {output_[kErr], POLLIN, 0},
                   {running() ? pid_fd_ : -1, POLLIN, 0}};
  const int ready = poll(fds, 3, static_cast<int>(left.count()));
  if (ready < 0) return errno == EINTR;
  if (ready == 0) return false;
  if (fds[0].revents != 0) ReadSome(kOut);
  if (fds[1].revents != 0) ReadSome(kErr);
  // The end counts once everything that was written before it has been read.
  if (fds[2].revents != 0 && fds[0].revents == 0 && fds[1].revents == 0) Reap();
  return true;
}

void ChildProcess::ReadSome(Stream stream) {
  char buffer[65536];
  const ssize_t size = read(output_[stream], buffer, sizeof(buffer));
  if (size < 0 && errno == EINTR) return;
  if (size <= 0) {
    close(output_[stream]);
    output_[stream] = -1;
    return;
  }
  text_[stream].append(buffer, static_cast<size_t>(size));
}

void ChildProcess::Reap() {
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace wormhole::testing
