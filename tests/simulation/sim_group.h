// A store that several relays share, in virtual time: common tables, and for each relay an end with
// delays and troubles of its own.
#ifndef WORMHOLE_TESTS_SIMULATION_SIM_GROUP_H_
#define WORMHOLE_TESTS_SIMULATION_SIM_GROUP_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "relay/switchboard/testing/group_tables.h"
#include "tests/simulation/random.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/stage.h"

namespace wormhole::simulation {

struct GroupPlan {
  int relays = 1;                                    // with more than one the store is shared
  absl::Duration max_news = absl::Milliseconds(50);  // how long news are on their way
  // Until a relay stops to hear news for a while, after which it may have missed them; while faults
  // are on.
  absl::Duration mean_watch_life = absl::InfiniteDuration();
  absl::Duration max_deafness = absl::Seconds(5);
  // How long a relay that is gone, or cut off, is taken for attached.
  absl::Duration lease = absl::Seconds(5);
  bool echoes = false;  // a relay is told of its own changes too
  // How long what a relay has to say of who is attached may wait beyond everything else.
  absl::Duration max_words;
};

class SimFront;

class SimGroup final : public StoreTruth {
 public:
  SimGroup(const Stage* stage, StorePlan store, GroupPlan plan, SimRandom random);
  ~SimGroup() override;

  // A relay's end of it, which lives as long as this.
  RelayStore* AddRelay();

  // StoreTruth
  bool IsDurableMember(const std::string& app_id, const std::string& side) const override;
  bool HasChannels() const override;
  int BrokenRests() const override { return broken_rests_; }
  bool HasPresence() const override { return tables_.AnyAttached(); }
  std::string PeerOf(const std::string& app_id, const std::string& side) const override;
  absl::Duration Lease() const override { return plan_.lease; }
  absl::Duration InTouchSince() const override;
  absl::Duration TimeToAgree() const override {
    return absl::Seconds(1) + 10 * (plan_.max_news + store_.max_commit) + plan_.max_words;
  }

 private:
  friend class SimFront;

  // Something has been stored.
  void OnStored();

  const Stage* const stage_;
  const StorePlan store_;
  const GroupPlan plan_;
  SimRandom random_;
  relay::GroupTables tables_;
  int broken_rests_ = 0;
  size_t seen_ = 0;  // of the history
  std::set<std::pair<std::string, std::string>> members_;
  int owners_ = 0;
  std::vector<std::unique_ptr<SimFront>> fronts_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SIM_GROUP_H_
