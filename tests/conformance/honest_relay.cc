#include "tests/conformance/honest_relay.h"

#include <cstdio>
#include <cstdlib>

namespace wormhole::conformance {
namespace {

testing::ChildProcess::Options OptionsOf(const std::string& binary,
                                         const std::vector<std::string>& flags) {
  testing::ChildProcess::Options options;
  options.arguments = {binary, "--listen=127.0.0.1:0", "--admin-listen=off", "--log-level=error",
                       "--store=memory"};
  options.arguments.insert(options.arguments.end(), flags.begin(), flags.end());
  return options;
}

}  // namespace

HonestRelay::HonestRelay(const std::string& binary, const std::vector<std::string>& flags)
    : process_(OptionsOf(binary, flags)),
      address_(process_.WaitForLine(testing::ChildProcess::kOut, "listening on ")) {
  if (!address_.empty()) return;
  fprintf(stderr, "%s does not serve: %s\n", binary.c_str(), process_.err().c_str());
  exit(1);
}

}  // namespace wormhole::conformance
