#include "client/cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

// The most bytes of one write(), which must not block where poll() promises room: it would hold up
// signals as well. A pipe that polls as writable takes this much (POSIX: PIPE_BUF).
constexpr size_t kPipeBytes = 4096;
// How long to wait before the next write to a terminal that has no room after all.
constexpr int kPauseMilliseconds = 10;

bool IsIgnored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

enum class Until { kSignal, kSignalOrDeadline };

// OK when `fd` is ready for `events`. What is ready counts, however late it is.
absl::Status WaitFor(int fd, short events, Until until,  // NOLINT(google-runtime-int)
                     Interrupt& interrupt) {
  while (true) {
    pollfd fds[] = {{interrupt.fd(), POLLIN, 0}, {fd, events, 0}};
    const int patience = until == Until::kSignal ? -1 : interrupt.patience();
    const int ready = poll(fds, 2, patience);
    if (ready < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "poll");
    if (ready < 0) continue;
    if ((fds[0].revents & POLLIN) != 0 && interrupt.Take()) return Interrupted();
    if (fds[1].revents != 0) return absl::OkStatus();
    if (until == Until::kSignalOrDeadline && interrupt.expired()) return TimedOut();
  }
}

// Whether `fd` takes bytes, or there is an error that write() will tell.
bool AwaitReader(int fd, const Interrupt& interrupt) {
  while (true) {
    pollfd fds[] = {{fd, POLLOUT, 0}, {interrupt.fd(), POLLIN, 0}};
    const int ready = poll(fds, 2, interrupt.taken() ? 0 : interrupt.patience());
    if (ready < 0 && errno != EINTR) return false;
    if (ready < 0) continue;
    if (fds[0].revents != 0) return true;
    if (fds[1].revents != 0 || interrupt.taken() || interrupt.expired()) return false;
  }
}

// Writes without being held up inside write(), once poll() has seen room. A terminal that nobody
// reads holds up even a small write then, so this opens the terminal once more, without blocking:
// set on `fd` itself, that would hold for all who share `fd`.
class Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {
    if (isatty(fd) != 1) return;
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    own_ = FileDescriptor(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (own_.valid()) {
      fd_ = own_.get();
    } else {
      at_once_ = 1;  // another user's terminal; there is room for this much
    }
  }

  // As write().
  ssize_t Write(std::string_view bytes) const {
    return write(fd_, bytes.data(), std::min(bytes.size(), at_once_));
  }

 private:
  int fd_;
  FileDescriptor own_;
  size_t at_once_ = kPipeBytes;
};

// False when a signal came meanwhile, which stays pending.
bool Pause(const Interrupt& interrupt) {
  pollfd signal = {interrupt.fd(), POLLIN, 0};
  return poll(&signal, 1, kPauseMilliseconds) == 0;
}

}  // namespace

absl::StatusOr<Interrupt> Interrupt::Install() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (!IsIgnored(SIGHUP)) sigaddset(&signals, SIGHUP);
  // Shells make background jobs of scripts ignore Ctrl-C, but a SIGINT to this very process is
  // meant for it.
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
  const bool taken = read(fd_.get(), &info, sizeof(info)) == sizeof(info);
  taken_ |= taken;
  return taken;
}

int Interrupt::patience() const {
  if (!deadline_.has_value()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now());
  // poll() takes an int of milliseconds; callers call it again until the deadline.
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000'000));
}

absl::Status Interrupted() {
  return core::Failure(Reason::kCancelled, absl::StatusCode::kCancelled, "interrupted");
}

absl::Status TimedOut() {
  return core::Failure(Reason::kTimeout, absl::StatusCode::kDeadlineExceeded,
                       "the timeout ended before the exchange began; nothing was sent");
}

absl::StatusOr<size_t> ReadSome(int fd, char* buffer, size_t size, Interrupt& interrupt) {
  while (true) {
    absl::Status ready = WaitFor(fd, POLLIN, Until::kSignalOrDeadline, interrupt);
    if (!ready.ok()) return ready;
    const ssize_t count = read(fd, buffer, size);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EINTR || errno == EAGAIN) continue;
    // Not open, or, where it was closed when the program began, not for reading.
    if (errno == EBADF) return absl::FailedPreconditionError("it is closed");
    return absl::ErrnoToStatus(errno, "read");
  }
}

absl::Status WriteAll(int fd, std::string_view bytes, Interrupt& interrupt) {
  const Writer writer(fd);
  while (!bytes.empty()) {
    absl::Status ready = WaitFor(fd, POLLOUT, Until::kSignal, interrupt);
    if (!ready.ok()) return ready;
    const ssize_t count = writer.Write(bytes);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      Pause(interrupt);
    } else if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, "write");
    }
  }
  return absl::OkStatus();
}

void WriteToPeople(int fd, std::string_view text, const Interrupt& interrupt) {
  const Writer writer(fd);
  while (!text.empty() && AwaitReader(fd, interrupt)) {
    const ssize_t count = writer.Write(text);
    if (count > 0) {
      text.remove_prefix(static_cast<size_t>(count));
    } else if (count < 0 && errno == EAGAIN) {
      if (interrupt.taken() || interrupt.expired() || !Pause(interrupt)) return;
    } else if (count == 0 || errno != EINTR) {
      return;
    }
  }
}

absl::Status SyncOutput(int fd) {
  while (fsync(fd) != 0) {
    if (errno == EINVAL || errno == EROFS || errno == ENOTSUP) break;
    if (errno != EINTR) return absl::ErrnoToStatus(errno, "fsync");
  }
  return absl::OkStatus();
}

}  // namespace wormhole::cli
