#include "tests/faults/scene.h"

#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/faults/checker.h"
#include "tests/faults/fault_flags.h"
#include "tests/faults/load.h"
#include "tests/faults/raw_client.h"

namespace wormhole::faults {
namespace {

std::string TargetOf(const std::vector<std::unique_ptr<Relay>>& relays) {
  std::vector<std::string> addresses;
  for (const auto& relay : relays) addresses.push_back(relay->address());
  return "ipv4:" + absl::StrJoin(addresses, ",");
}

}  // namespace

Scene::Scene(ScenePlan plan)
    : plan_(std::move(plan)),
      initiators_(std::make_shared<EventLog>(folder_.File("initiators.log"))),
      receivers_(std::make_shared<EventLog>(folder_.File("receivers.log"))),
      random_(Seed()) {
  std::vector<Relay::Options> relays = plan_.relays;
  if (relays.empty()) relays = {{.store = "sqlite:" + folder_.File("relay.db")}};
  for (Relay::Options& options : relays) {
    relays_.push_back(std::make_unique<Relay>(std::move(options)));
    if (relays_.back()->Start()) continue;
    std::cerr << relays_.back()->process().error() << std::endl;
    abort();
  }
  target_ = TargetOf(relays_);
}

Scene::~Scene() = default;

void Scene::RunDuring(const std::function<void()>& fault) {
  const Amount amount = AmountOf(plan_.short_exchanges);
  Load load({.exchanges = amount.exchanges,
             .spread = amount.duration,
             .timeout = plan_.timeout,
             .seed = Seed(),
             .relay = target_},
            initiators_, receivers_);
  begun_ += amount.exchanges + plan_.raw_pairs;
  std::vector<std::jthread> threads;
  threads.emplace_back([&load] { load.Run(); });
  StartRawPairs(threads);
  std::uniform_int_distribution<int> about_a_second(700, 1300);
  while (!load.done() && !::testing::Test::HasFailure()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(about_a_second(random_)));
    if (!load.done()) fault();
  }
}

void Scene::StartRawPairs(std::vector<std::jthread>& threads) {
  const Amount amount = AmountOf(plan_.short_exchanges);
  for (int i = 0; i < plan_.raw_pairs; ++i) {
    const RawPairPlan pair = {.name = absl::StrCat("talk", i),
                              .relay = target_,
                              .frames = plan_.raw_frames,
                              .frame_bytes = 60'000,
                              .pause = amount.duration / static_cast<double>(plan_.raw_frames)};
    const absl::Duration limit = amount.duration + 2 * plan_.timeout;
    threads.emplace_back([=, this] { RunRawPair(pair, limit, initiators_, receivers_); });
  }
}

void Scene::AwaitSomeEvents() {
  std::uniform_int_distribution<uint64_t> lines(1, 30);
  const std::shared_ptr<EventLog>& end = random_() % 2 == 0 ? initiators_ : receivers_;
  end->AwaitMore(lines(random_), std::chrono::milliseconds(300));
}

Verdict Scene::ExpectNoneLost(const std::string& what_was_done, int others) {
  const Verdict verdict =
      Check(ReadLogs({folder_.File("initiators.log"), folder_.File("receivers.log")}));
  std::cout << what_was_done << ": " << verdict << std::endl;
  EXPECT_TRUE(verdict.clean());
  EXPECT_EQ(verdict.finished + verdict.failed, begun_ + others);
  return verdict;
}

Verdict Scene::ExpectAllFinished(const std::string& what_was_done, int others) {
  Verdict verdict = ExpectNoneLost(what_was_done, others);
  EXPECT_EQ(verdict.failed, 0);
  return verdict;
}

}  // namespace wormhole::faults
