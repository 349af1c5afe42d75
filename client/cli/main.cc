// wormhole-sync: an exchange from the command line. `wormhole-sync --help` says how.
#include <unistd.h>

#include <string>
#include <vector>

#include "client/cli/run.h"

int main(int argc, char** argv) {
  const int code =
      wormhole::cli::Run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  // Not by return: the threads of the library and of gRPC go on, and what OpenSSL cleans up at exit
  // would be taken away from under them. All output was written at once, so none is lost.
  _exit(code);
}
