#include "relay/server/shutdown_signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>

namespace wormhole::relay {

ShutdownSignals::ShutdownSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void ShutdownSignals::Await() {
  int signal = 0;
  while (sigwait(&signals_, &signal) != 0) {
  }
}

// A signal that nobody reads from its descriptor stays pending.
bool ShutdownSignals::AwaitOr(int fd) {
  const int signals = signalfd(-1, &signals_, SFD_CLOEXEC);
  if (signals < 0) {
    std::perror("wormhole-relay: cannot wait for signals");
    std::abort();
  }
  pollfd fds[] = {{.fd = signals, .events = POLLIN, .revents = 0},
                  {.fd = fd, .events = POLLIN, .revents = 0}};
  while (poll(fds, 2, /*timeout=*/-1) <= 0) {
  }
  close(signals);
  return fds[0].revents != 0;
}

bool ShutdownSignals::AwaitFor(std::chrono::nanoseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (auto left = limit; left.count() >= 0; left = end - std::chrono::steady_clock::now()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec wait = {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    if (sigtimedwait(&signals_, nullptr, &wait) > 0) return true;
    if (errno == EAGAIN) return false;
  }
  return false;
}

void ShutdownSignals::ExitAtNext(int status) {
  // The thread holds nothing and nobody joins it: the end of the process ends it.
  std::thread([signals = signals_, status] {
    int signal = 0;
    while (sigwait(&signals, &signal) != 0) {
    }
    _exit(status);
  }).detach();
}

}  // namespace wormhole::relay
