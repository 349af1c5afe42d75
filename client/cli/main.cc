// wormhole-sync: an exchange from the command line. `wormhole-sync --help` says how.
#include <poll.h>
#include <unistd.h>

#include <new>
#include <string>
#include <vector>

#include "client/cli/exit_codes.h"
#include "client/cli/run.h"

namespace {

// Without this the process would end by a signal, with a message of the C++ library's.
void OnNoMemory() {
  constexpr char kText[] =
      "wormhole-sync: raise the limit on memory (`ulimit -v`, a container's): the system gives "
      "this process no more\n";
  // Only where there is room, since nothing could end a wait; the exit code says it anyway.
  pollfd room = {STDERR_FILENO, POLLOUT, 0};
  if (poll(&room, 1, 0) > 0) {
    static_cast<void>(!write(STDERR_FILENO, kText, sizeof(kText) - 1));
  }
  _exit(wormhole::cli::kLocal);
}

}  // namespace

int main(int argc, char** argv) {
  std::set_new_handler(&OnNoMemory);
  const int code =
      wormhole::cli::Run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  // Not by return: threads of the library and of gRPC go on, and OpenSSL would free at exit what
  // they use. All output was written at once, so none is lost.
  _exit(code);
}
