// Fault 6: the connection of one side is cut after each HTTP/2 frame in turn, in both directions.
#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/faults/cutting_proxy.h"
#include "tests/faults/fault_flags.h"
#include "tests/faults/one_exchange.h"
#include "tests/faults/scene.h"

namespace wormhole::faults {
namespace {

constexpr int kMoreThanAnExchangeHas = 200;

class Cutter {
 public:
  explicit Cutter(Scene& scene) : scene_(scene) {}

  // Cuts after each frame in turn, until an exchange is over before it.
  void CutEverywhere(bool initiators, bool towards_relay, int round) {
    int frame = 1;
    while (frame < kMoreThanAnExchangeHas && CutOnce(initiators, towards_relay, frame, round)) {
      ++frame;
    }
    // Preface, settings, headers and a few messages: fewer than that would have tested nothing.
    EXPECT_GE(frame, 8);
    EXPECT_LT(frame, kMoreThanAnExchangeHas);
  }

  int exchanges() const { return exchanges_; }
  int cuts() const { return cuts_; }

 private:
  bool CutOnce(bool initiators, bool towards_relay, int frame, int round) {
    const bool reset = (round + static_cast<int>(Seed())) % 2 == 0;
    const std::string& relay = scene_.relay().address();
    CuttingProxy proxy(relay,
                       {.towards_relay = towards_relay, .after_frames = frame, .reset = reset});
    ExchangePlan plan = {
        .name = absl::StrCat(initiators ? "initiator" : "receiver", towards_relay ? "-up" : "-down",
                             "-", frame, "-", round),
        .initiators_relay = initiators ? proxy.address() : relay,
        .receivers_relay = initiators ? relay : proxy.address()};
    RunExchange(plan, scene_.initiators(), scene_.receivers());
    ++exchanges_;
    if (proxy.has_cut()) ++cuts_;
    return proxy.has_cut();
  }

  Scene& scene_;
  std::atomic<int> exchanges_ = 0;
  std::atomic<int> cuts_ = 0;
};

// With FIN and with RST; more rounds for more --exchanges.
TEST(ConnectionCutTest, AtEveryFrameInBothDirections) {
  Scene scene;
  Cutter cutter(scene);
  const int wanted = AmountOf(/*short_exchanges=*/1).exchanges;
  for (int round = 0; round < 2 || cutter.exchanges() < wanted; ++round) {
    std::vector<std::jthread> threads;
    for (const bool initiators : {true, false}) {
      for (const bool towards_relay : {true, false}) {
        threads.emplace_back(
            [=, &cutter] { cutter.CutEverywhere(initiators, towards_relay, round); });
      }
    }
    threads.clear();
    if (HasFailure()) break;
  }
  scene.ExpectAllFinished(absl::StrCat("connection cut ", cutter.cuts(), " times"),
                          cutter.exchanges());
}

}  // namespace
}  // namespace wormhole::faults
