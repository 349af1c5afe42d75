// A relay that is busy now more and now less, for a while, and a Prometheus that scrapes it. At the
// end it waits for a line on standard input: deploy/observability/draw has that long.
//
//   bazel run -c opt //tests/observability:busy_relay -- MINUTES
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "tests/observability/prometheus.h"
#include "tests/observability/traffic.h"
#include "tests/support/relay_process.h"
#include "tests/support/temp_folder.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

struct Phase {
  int exchanging;  // threads with one exchange after the other
  int guessing;    // threads that ask for a number that nobody has
  int arriving;    // sides that come to wait
};

// Of the same length.
constexpr Phase kPhases[] = {{1, 0, 10}, {2, 0, 30}, {4, 0, 40}, {2, 0, 20},
                             {1, 1, 10}, {1, 0, 10}, {6, 0, 30}, {2, 0, 10}};

void Work(const std::string& relay, const Phase& phase, absl::Duration length) {
  std::list<Initiator> waiting;
  std::vector<std::jthread> threads;
  const auto work = [&](void (Traffic::*what)()) {
    threads.emplace_back([&relay, what](const std::stop_token& stop) {
      Traffic traffic(relay);
      for (int i = 0; !stop.stop_requested(); ++i) {
        i % 10 == 0 ? traffic.Round() : (traffic.*what)();
        std::this_thread::sleep_for(std::chrono::milliseconds(15));
      }
    });
  };
  for (int i = 0; i < phase.exchanging; ++i) work(&Traffic::Finish);
  for (int i = 0; i < phase.guessing; ++i) work(&Traffic::UnknownCode);
  const Traffic traffic(relay);
  for (int i = 0; i < phase.arriving; ++i) {
    waiting.push_back(Initiator::Create(traffic.NewOptions(), "a").value());
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(length / phase.arriving));
  }
  for (Initiator& initiator : waiting) initiator.Cancel();
  for (Initiator& initiator : waiting) initiator.Finish().IgnoreError();
}

void Run(double minutes) {
  const TempFolder folder;
  RelayProcess relay({"--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0",
                      "--max-failed-claims-per-minute=0",  // all are one address's
                      std::string("--metrics-apps=") + Traffic::kApp,
                      "--store=sqlite:" + folder.File("relay.db")});
  const std::string metrics = relay.AwaitLine("metrics on ");
  const std::string address = relay.AwaitListening();
  const Prometheus prometheus(metrics);
  for (const Phase& phase : kPhases) {
    Work(address, phase, absl::Minutes(minutes / std::size(kPhases)));
  }
  std::cout << "deploy/observability/draw http://" << prometheus.address() << " " << minutes
            << std::endl;
  std::string line;
  std::getline(std::cin, line);
}

}  // namespace
}  // namespace wormhole::testing

int main(int argc, char** argv) {
  wormhole::testing::Run(argc > 1 ? std::strtod(argv[1], nullptr) : 10);
}
