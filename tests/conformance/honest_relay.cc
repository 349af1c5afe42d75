#include "tests/conformance/honest_relay.h"

#include <cstdio>
#include <cstdlib>

namespace wormhole::conformance {
namespace {

testing::ChildProcess::Options OptionsOf(const std::string& binary,
                                         const std::vector<std::string>& flags) {
  testing::ChildProcess::Options options;
  options.arguments = {binary, "--listen=127.0.0.1:0", "--admin-listen=off", "--log-level=error"};
  bool has_store = false;
  const char* const temporary = getenv("TEST_TMPDIR");
  for (std::string flag : flags) {
    const size_t at = flag.find("{tmp}");
    if (at != std::string::npos) flag.replace(at, 5, temporary == nullptr ? "/tmp" : temporary);
    has_store |= flag.compare(0, 8, "--store=") == 0;
    options.arguments.push_back(flag);
  }
  if (!has_store) options.arguments.push_back("--store=memory");
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
