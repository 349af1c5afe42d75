#include "tests/support/relay_process.h"

#include <signal.h>

#include <algorithm>

namespace wormhole::testing {
namespace {

ChildProcess::Options CommandOf(RelayProcess::Options options) {
  std::vector<std::string> command = std::move(options.runner);
  command.push_back(std::move(options.program));
  const bool admin = std::ranges::any_of(
      options.flags, [](const std::string& flag) { return flag.starts_with("--admin-listen="); });
  if (!admin) command.push_back("--admin-listen=off");
  command.insert(command.end(), options.flags.begin(), options.flags.end());
  return {
      .arguments = std::move(command), .environment = std::move(options.environment), .input = ""};
}

}  // namespace

RelayProcess::RelayProcess(Options options) : child_(CommandOf(std::move(options))) {}

RelayProcess::RelayProcess(std::vector<std::string> flags, Variables environment)
    : RelayProcess(Options{.flags = std::move(flags), .environment = std::move(environment)}) {}

std::string RelayProcess::AwaitLine(const std::string& prefix) {
  return child_.WaitForLine(ChildProcess::kOut, prefix);
}

bool RelayProcess::AwaitError(const std::string& text) {
  return child_.WaitFor(ChildProcess::kErr, text);
}

int RelayProcess::Stop() {
  Signal(SIGTERM);
  return AwaitExit();
}

int RelayProcess::Kill() {
  Signal(SIGKILL);
  return AwaitExit();
}

}  // namespace wormhole::testing
