// wormhole-sync: an exchange from the command line. `wormhole-sync --help` says how.
#include <string>
#include <vector>

#include "client/cli/run.h"

int main(int argc, char** argv) {
  return wormhole::cli::Run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
