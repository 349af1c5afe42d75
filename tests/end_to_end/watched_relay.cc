#include "tests/end_to_end/watched_relay.h"

#include <stdlib.h>

namespace wormhole::testing {
namespace {

Output PrintedConfig(std::vector<std::string> arguments) {
  arguments.push_back("--print-config");
  ChildProcess process({.arguments = std::move(arguments)});
  process.WaitForExit();
  return {"print-config", process.out() + process.err()};
}

}  // namespace

WatchedRelay::WatchedRelay(const std::string& folder, const std::vector<std::string>& flags)
    : arguments_({getenv("WORMHOLE_RELAY"), "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0",
                  "--store=sqlite:" + folder + "/relay.db", "--log-level=debug"}) {
  arguments_.insert(arguments_.end(), flags.begin(), flags.end());
  process_ = std::make_unique<ChildProcess>(ChildProcess::Options{.arguments = arguments_});
  address_ = process_->WaitForLine(ChildProcess::kOut, "listening on ");
}

std::vector<Output> WatchedRelay::Look() { return {PrintedConfig(arguments_)}; }

int WatchedRelay::End(int signal) {
  process_->Signal(signal);
  return process_->WaitForExit();
}

std::vector<Output> WatchedRelay::Written() const {
  return {{"standard output", process_->out()}, {"standard error", process_->err()}};
}

}  // namespace wormhole::testing
