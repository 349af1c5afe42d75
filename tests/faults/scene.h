// A fault's surroundings: relays, the load, and the logs of both ends with their verdict.
#ifndef WORMHOLE_TESTS_FAULTS_SCENE_H_
#define WORMHOLE_TESTS_FAULTS_SCENE_H_

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/faults/event_log.h"
#include "tests/faults/relay.h"
#include "tests/faults/verdict.h"
#include "tests/support/temp_folder.h"

namespace wormhole::faults {

struct ScenePlan {
  int short_exchanges = 300;  // when neither --exchanges nor --duration is given
  // Empty: one on SQLite in the scene's own folder.
  std::vector<Relay::Options> relays;
  absl::Duration timeout = absl::Minutes(2);  // of an exchange
  // Pairs that post and read long logs meanwhile, 60 KB a frame: a store of many megabytes.
  int raw_pairs = 2;
  uint64_t raw_frames = 200;
};

// Of one thread; the load has threads of its own.
class Scene {
 public:
  // Starts the relays; ends the test process when one does not start.
  explicit Scene(ScenePlan plan = {});
  ~Scene();

  // Where clients go: to all relays, in gRPC target syntax, unless this says something else.
  void SetTarget(std::string target) { target_ = std::move(target); }

  // Runs the load, and `fault` meanwhile, about every second, on this thread, until the load is
  // done or a test has failed. The pauses between faults, and how long each lasts, are what is
  // tested; nothing that a test expects depends on them.
  void RunDuring(const std::function<void()>& fault);
  // Waits for some events more, a random number of them: what happens next comes in between two
  // steps of somebody rather than in a pause.
  void AwaitSomeEvents();

  Relay& relay(size_t index = 0) { return *relays_[index]; }
  size_t relay_count() const { return relays_.size(); }
  std::mt19937_64& random() { return random_; }
  const testing::TempFolder& folder() const { return folder_; }

  const std::shared_ptr<EventLog>& initiators() { return initiators_; }
  const std::shared_ptr<EventLog>& receivers() { return receivers_; }

  // What the logs say, printed after `what_was_done`, and a test failure if that is not that
  // everything has finished: what RunDuring began, and `others` that the test ran by itself.
  Verdict ExpectAllFinished(const std::string& what_was_done, int others = 0);
  // The same, except that exchanges may fail with a reason.
  Verdict ExpectNoneLost(const std::string& what_was_done, int others = 0);

 private:
  void StartRawPairs(std::vector<std::jthread>& threads);

  const ScenePlan plan_;
  testing::TempFolder folder_;
  const std::shared_ptr<EventLog> initiators_;
  const std::shared_ptr<EventLog> receivers_;
  std::string target_;
  int begun_ = 0;
  std::vector<std::unique_ptr<Relay>> relays_;
  std::mt19937_64 random_;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_SCENE_H_
