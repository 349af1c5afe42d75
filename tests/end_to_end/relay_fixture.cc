#include "tests/end_to_end/relay_fixture.h"

#include <signal.h>

#include <utility>

namespace wormhole::testing {

void RelayTest::StartRelay(std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"--listen=" + (address_.empty() ? "127.0.0.1:0" : address_),
                               "--store=sqlite:" + PathOf("relay.db")});
  relay_ = std::make_unique<RelayProcess>(std::move(flags));
  address_ = relay_->AwaitListening();
  ASSERT_NE(address_, "") << relay_->error();
}

void RelayTest::KillRelay() { ASSERT_EQ(relay_->Kill(), 128 + SIGKILL); }

void RelayTest::StopRelay() { ASSERT_EQ(relay_->Stop(), 0) << relay_->error(); }

Options RelayTest::NewOptions() const {
  Options options;
  options.app_id = "example.com/end-to-end";
  options.rendezvous = address_;
  options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(100)}};
  options.timeout = absl::Minutes(2);
  return options;
}

}  // namespace wormhole::testing
