// SIGTERM and SIGINT: the first asks for a drain, the second for the end.
#ifndef WORMHOLE_RELAY_SERVER_SHUTDOWN_SIGNALS_H_
#define WORMHOLE_RELAY_SERVER_SHUTDOWN_SIGNALS_H_

#include <chrono>
#include <csignal>

namespace wormhole::relay {

// Takes signals with sigwait, so that no code of the relay runs in a signal handler.
class ShutdownSignals {
 public:
  // Blocks both signals in this thread and in those that it starts from now on; call it before any
  // thread starts. Ignores SIGPIPE: a closed standard output is no reason to stop.
  ShutdownSignals();

  // Blocks until one comes.
  void Await();
  // Blocks until one comes, or something can be read from `fd`. True: a signal has come, and the
  // next wait takes it.
  bool AwaitOr(int fd);
  // Blocks for so long at most; false when no signal came.
  bool AwaitFor(std::chrono::nanoseconds limit);

  // From now on another signal ends the process at once, with `status` and without cleaning up.
  void ExitAtNext(int status);

 private:
  sigset_t signals_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_SHUTDOWN_SIGNALS_H_
