#include "relay/shutdown_signals.h"

#include <unistd.h>

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

void ShutdownSignals::ExitAtNext(int status) {
  // Holds nothing and is never joined: the end of the process ends it.
  std::thread([signals = signals_, status] {
    int signal = 0;
    while (sigwait(&signals, &signal) != 0) {
    }
    _exit(status);
  }).detach();
}

}  // namespace wormhole::relay
