// One etcd in virtual time, for several relays: what is between it and them, and what the judges
// ask of it.
#ifndef WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_WORLD_H_
#define WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_WORLD_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/etcd/keys.h"
#include "tests/simulation/etcd/fake_etcd.h"
#include "tests/simulation/random.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/stage.h"

namespace wormhole::simulation {

class EtcdFront;

class EtcdWorld final : public StoreTruth {
 public:
  // `tick`: how often a relay flushes its store at the least.
  EtcdWorld(const Stage* stage, StorePlan store, GroupPlan plan, absl::Duration tick,
            SimRandom random);
  ~EtcdWorld() override;

  // A relay's front of it, which lives as long as this.
  RelayStore* AddRelay();

  // For these fronts.
  const Stage& stage() const { return *stage_; }
  const StorePlan& store() const { return store_; }
  const GroupPlan& plan() const { return plan_; }
  const std::string& prefix() const { return prefix_; }
  absl::Duration presence_ttl() const { return presence_ttl_; }
  // Whether somebody sets the clocks of the relays' machines now and then.
  bool clocks_are_set() const { return clocks_are_set_; }
  FakeEtcd& etcd() { return etcd_; }
  // A relay has found out that etcd was restored.
  void NoteNoticed() { noticed_ = stage_->loop->now(); }
  // How often etcd was restored.
  int history() const { return history_; }
  // Something may have been written.
  void OnWritten();
  // A relay has lost its watch.
  void OnDeaf();
  // The store does what it should not.
  void NoteWrong(std::string what) { wrongs_.push_back(std::move(what)); }

  // StoreTruth
  bool IsDurableMember(const std::string& app_id, const std::string& side) const override;
  bool HasChannels() const override;
  int BrokenRests() const override { return broken_rests_; }
  std::vector<std::string> Wrongs() const override;
  bool HasPresence() const override;
  std::string PeerOf(const std::string& app_id, const std::string& side) const override;
  absl::Duration Lease() const override { return presence_ttl_ + absl::Seconds(1); }
  absl::Duration InTouchSince() const override;
  absl::Duration TimeToAgree() const override;
  std::optional<absl::Duration> WentBack() const override;
  std::vector<std::string> WrongsAtLast() const override;

 private:
  void LookAtLeases();
  void PlanCompaction();
  void Compact();
  // Makes a copy, and restores etcd from it later.
  void PlanGoingBack();
  void GoBack(const FakeEtcd& copy);
  // Others, who have nothing to do with the relays, use it as well.
  void WriteForOthers(int64_t times);
  void Judge(const etcdserverpb::Event& event);
  bool HasAnyOf(relay::EtcdKeys::Place::Kind kind) const;

  const Stage* const stage_;
  const StorePlan store_;
  const GroupPlan plan_;
  const absl::Duration tick_;
  const absl::Duration presence_ttl_;
  const std::string prefix_ = "sim/";
  const relay::EtcdKeys keys_{prefix_};
  SimRandom random_;
  const bool clocks_are_set_;
  const bool compacts_;
  FakeEtcd etcd_;
  int history_ = 0;
  absl::Duration went_back_;  // the last time
  absl::Duration noticed_;    // the last time
  size_t judged_ = 0;         // events
  int broken_rests_ = 0;
  std::vector<std::string> wrongs_;
  std::map<relay::ChannelKey, relay::ChannelRecord> records_;
  std::set<std::pair<std::string, std::string>> members_;
  std::vector<std::unique_ptr<EtcdFront>> fronts_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_WORLD_H_
