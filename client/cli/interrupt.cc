#include "client/cli/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>

#include "client/core/outcome.h"

namespace wormhole::cli {
namespace {

// A pipe that polls as writable takes this much without blocking (POSIX: PIPE_BUF).
constexpr size_t kWriteBytes = 4096;

bool IsIgnored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// OK when `fd` is ready for `events`.
absl::Status WaitFor(int fd, short events, Interrupt& interrupt) {  // NOLINT(google-runtime-int)
  while (true) {
    pollfd fds[] = {{interrupt.fd(), POLLIN, 0}, {fd, events, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "poll");
    if ((fds[0].revents & POLLIN) != 0 && interrupt.Take()) return Interrupted();
    if (fds[1].revents != 0) return absl::OkStatus();
  }
}

}  // namespace

absl::StatusOr<Interrupt> Interrupt::Install() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (!IsIgnored(SIGHUP)) sigaddset(&signals, SIGHUP);
  // Shells have background jobs of scripts ignore Ctrl-C; who sends it to this very process means
  // it.
  signal(SIGINT, SIG_DFL);
  if (int error = pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
    return absl::ErrnoToStatus(error, "cannot block signals");
  }
  FileDescriptor fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "cannot watch for signals");
  return Interrupt(std::move(fd));
}

bool Interrupt::Take() {
  signalfd_siginfo info;
  return read(fd_.get(), &info, sizeof(info)) == sizeof(info);
}

absl::Status Interrupted() {
  return core::Failure(Reason::kCancelled, absl::StatusCode::kCancelled, "interrupted");
}

absl::StatusOr<size_t> ReadSome(int fd, char* buffer, size_t size, Interrupt& interrupt) {
  while (true) {
    if (absl::Status ready = WaitFor(fd, POLLIN, interrupt); !ready.ok()) return ready;
    const ssize_t count = read(fd, buffer, size);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EINTR || errno == EAGAIN) continue;
    return absl::ErrnoToStatus(errno, "read");
  }
}

absl::Status WriteAll(int fd, std::string_view bytes, Interrupt& interrupt) {
  while (!bytes.empty()) {
    if (absl::Status ready = WaitFor(fd, POLLOUT, interrupt); !ready.ok()) return ready;
    const ssize_t count = write(fd, bytes.data(), std::min(bytes.size(), kWriteBytes));
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      return absl::ErrnoToStatus(errno, "write");
    }
  }
  return absl::OkStatus();
}

absl::Status SyncOutput(int fd) {
  while (fsync(fd) != 0) {
    if (errno == EINVAL || errno == EROFS || errno == ENOTSUP) break;
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "fsync");
  }
  return absl::OkStatus();
}

}  // namespace wormhole::cli
