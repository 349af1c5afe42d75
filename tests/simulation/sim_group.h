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
