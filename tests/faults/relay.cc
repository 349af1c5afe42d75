#include "tests/faults/relay.h"

#include <signal.h>

#include <cstdlib>

#include "tests/faults/loopback.h"

namespace wormhole::faults {
namespace {

std::string Program() {
  const char* path = getenv("WORMHOLE_RELAY");
  return path == nullptr ? "relay/wormhole-relay" : path;
}

}  // namespace

Relay::Relay(Options options) : options_(std::move(options)), address_(OwnHost() + ":0") {}

bool Relay::Start() {
  std::vector<std::string> arguments = {Program(), "--listen=" + address_,
                                        "--store=" + options_.store};
  arguments.insert(arguments.end(), options_.flags.begin(), options_.flags.end());
  child_ = std::make_unique<testing::ChildProcess>(testing::ChildProcess::Options{
      .arguments = std::move(arguments), .environment = options_.environment});
  const std::string listening = child_->WaitForLine(testing::ChildProcess::kOut, "listening on ");
  if (!listening.empty()) address_ = listening;
  return !listening.empty();
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
