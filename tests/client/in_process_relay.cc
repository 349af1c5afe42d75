#include "tests/client/in_process_relay.h"

#include <sodium.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "absl/time/clock.h"
#include "client/client_access.h"

namespace wormhole::testing {
namespace {

relay::SwitchboardEnvironment RealEnvironment() {
  return {
      .wall_now = [] { return absl::Now(); },
      .steady_now =
          [] { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); },
      .random_below = [](uint32_t bound) { return randombytes_uniform(bound); },
  };
}

}  // namespace

InProcessRelay::InProcessRelay(relay::SwitchboardOptions options)
    : switchboard_(
          relay::Switchboard::Create(std::move(options), RealEnvironment(), &store_).value()),
      transport_(std::make_shared<SwitchboardTransport>(switchboard_.get())),
      ticker_([this](std::stop_token stop) { TickUntil(std::move(stop)); }) {}

InProcessRelay::~InProcessRelay() { transport_->Shut(); }

void InProcessRelay::TickUntil(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    switchboard_->Tick();
    stopped.wait_for(lock, stop, std::chrono::milliseconds(100), [] { return false; });
  }
}

std::shared_ptr<Client> InProcessRelay::MakeClient(int threads) {
  return ClientAccess::WithTransport(transport_, {.threads = threads}).value();
}

Options InProcessRelay::OptionsFor(std::shared_ptr<Client> client) {
  Options options;
  options.app_id = "example.com/test";
  options.rendezvous = "localhost:1";
  options.client = std::move(client);
  options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(20)}};
  return options;
}

}  // namespace wormhole::testing
