#include "tests/faults/relay.h"

namespace wormhole::faults {

using testing::RelayProcess;

Relay::Relay(Options options) : options_(std::move(options)) {}

bool Relay::Start() {
  std::vector<std::string> flags = {"--listen=" + address(), "--store=" + options_.store};
  flags.insert(flags.end(), options_.flags.begin(), options_.flags.end());
  process_ = std::make_unique<RelayProcess>(RelayProcess::Options{
      .flags = std::move(flags), .environment = options_.environment, .runner = options_.runner});
  return !process_->AwaitListening().empty();
}

}  // namespace wormhole::faults
