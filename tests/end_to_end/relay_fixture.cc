#include "tests/end_to_end/relay_fixture.h"

#include <signal.h>
#include <stdlib.h>

#include <utility>

namespace wormhole::testing {

RelayTest::RelayTest() : folder_(::testing::TempDir() + "/relay.XXXXXX") {
  EXPECT_NE(mkdtemp(folder_.data()), nullptr);
}

void RelayTest::StartRelay(std::vector<std::string> flags) {
  std::vector<std::string> arguments = {
      getenv("WORMHOLE_RELAY"), "--listen=" + (address_.empty() ? "127.0.0.1:0" : address_),
      "--admin-listen=off", "--store=sqlite:" + PathOf("relay.db")};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  relay_ = std::make_unique<ChildProcess>(ChildProcess::Options{.arguments = std::move(arguments)});
  address_ = relay_->WaitForLine(ChildProcess::kOut, "listening on ");
  ASSERT_NE(address_, "") << relay_->err();
}

void RelayTest::KillRelay() {
  relay_->Signal(SIGKILL);
  ASSERT_EQ(relay_->WaitForExit(), 128 + SIGKILL);
}

void RelayTest::StopRelay() {
  relay_->Signal(SIGTERM);
  ASSERT_EQ(relay_->WaitForExit(), 0) << relay_->err();
}

Options RelayTest::NewOptions() const {
  Options options;
  options.app_id = "example.com/end-to-end";
  options.rendezvous = address_;
  options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(100)}};
  options.timeout = absl::Minutes(2);
  return options;
}

}  // namespace wormhole::testing
