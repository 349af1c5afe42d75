#include "tests/faults/relay.h"

#include "absl/strings/str_cat.h"

namespace wormhole::faults {

using testing::RelayProcess;

Relay::Relay(Options options) : options_(std::move(options)) {}

bool Relay::Start() {
  std::vector<std::string> flags = {"--listen=" + address(), "--store=" + options_.store};
  // Everybody comes from one address, and comes again after each fault.
  for (const char* const limit : {"max-connections", "max-stream-opens", "max-allocations",
                                  "max-claims", "max-failed-claims"}) {
    flags.push_back(absl::StrCat("--", limit, "-per-minute=0"));
  }
  // Some exchanges go on chatting with large frames, for as long as there is something to disturb.
  flags.emplace_back("--max-posted-bytes-per-second=0");
  flags.insert(flags.end(), options_.flags.begin(), options_.flags.end());
  process_ = std::make_unique<RelayProcess>(RelayProcess::Options{
      .flags = std::move(flags), .environment = options_.environment, .runner = options_.runner});
  return !process_->AwaitListening().empty();
}

}  // namespace wormhole::faults
