#include "tests/faults/relay.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace wormhole::faults {
namespace {

// A loopback address that nothing connects from, with a port that the kernel picks. On 127.0.0.1 a
// client that tries while the relay is away could be given the relay's own port, and keep it.
std::string OwnLoopback() {
  const pid_t pid = getpid();
  return absl::StrCat("127.", 1 + pid / 62'500 % 250, ".", pid / 250 % 250, ".", 1 + pid % 250,
                      ":0");
}

std::string Program() {
  const char* path = getenv("WORMHOLE_RELAY");
  return path == nullptr ? "relay/wormhole-relay" : path;
}

}  // namespace

Relay::Relay(Options options) : options_(std::move(options)), address_(OwnLoopback()) {}

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
