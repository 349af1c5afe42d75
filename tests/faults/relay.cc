#include "tests/faults/relay.h"

#include <signal.h>

#include <cstdlib>

namespace wormhole::faults {
namespace {

std::string Program() {
  const char* path = getenv("WORMHOLE_RELAY");
  return path == nullptr ? "relay/wormhole-relay" : path;
}

}  // namespace

Relay::Relay(Options options) : options_(std::move(options)) {}

bool Relay::Start() {
  std::vector<std::string> arguments = options_.runner;
  for (const std::string& argument :
       {Program(), "--listen=" + address(), std::string("--admin-listen=off"),
        "--store=" + options_.store}) {
    arguments.push_back(argument);
  }
  arguments.insert(arguments.end(), options_.flags.begin(), options_.flags.end());
  child_ = std::make_unique<testing::ChildProcess>(testing::ChildProcess::Options{
      .arguments = std::move(arguments), .environment = options_.environment});
  return !child_->WaitForLine(testing::ChildProcess::kOut, "listening on ").empty();
}

void Relay::Kill() {
  child_->Signal(SIGKILL);
  child_->WaitForExit();
}

int Relay::Stop() {
  child_->Signal(SIGTERM);
  return child_->WaitForExit();
}

}  // namespace wormhole::faults
