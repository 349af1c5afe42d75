// One relay's end of an etcd: the shipped store, anew for each process, and the clock that it keeps
// in step.
#ifndef WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_FRONT_H_
#define WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_FRONT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/clock/clock.h"
#include "relay/store/etcd/etcd_store.h"
#include "tests/simulation/etcd/etcd_end.h"
#include "tests/simulation/etcd/etcd_world.h"
#include "tests/simulation/random.h"
#include "tests/simulation/relay_store.h"

namespace wormhole::simulation {

class EtcdFront final : public RelayStore {
 public:
  // `number`: as the trace calls the relay.
  EtcdFront(EtcdWorld* world, SimRandom random, int number);

  void OnWritten();
  void OnWentBack(int64_t revision, bool new_token, bool outrun,
                  const std::vector<etcdserverpb::Event>& lost, bool all);
  void OnEvent(const etcdserverpb::Event& event) {
    if (runs_) end_->OnEvent(event);
  }
  void OnCompacted(int64_t revision) {
    if (runs_) end_->OnCompacted(revision);
  }
  // Whether its process runs and has no watch, or etcd is away for it.
  bool is_deaf() const { return runs_ && in_touch_since() == absl::InfiniteDuration(); }
  // See EtcdEnd.
  bool must_notice() const { return runs_ && end_->must_notice(); }
  bool knows_of_lost() const { return runs_ && end_->knows_of_lost(); }
  // See StoreTruth.
  absl::Duration in_touch_since() const;

  // RelayStore
  void Crash() override;
  void Leave() override;
  void SetAway(bool away) override;
  absl::Time WallNow(absl::Time world) override;

  // relay::Store: of the process that began last.
  absl::Status Start(relay::StoreListener* listener) override;
  void Load(const relay::ChannelKey& key,
            Done<std::optional<relay::ChannelSnapshot>> done) override {
    store_->Load(key, std::move(done));
  }
  void FindSide(std::string_view app_id, std::string_view side,
                Done<std::optional<uint32_t>> done) override {
    store_->FindSide(app_id, side, std::move(done));
  }
  void Put(const relay::ChannelKey& key, uint64_t expected, relay::ChannelRecord record,
           const relay::PutOptions& options, Done<relay::PutOutcome> done) override {
    store_->Put(key, expected, std::move(record), options, std::move(done));
  }
  void Erase(const relay::ChannelKey& key, uint64_t expected,
             Done<relay::PutOutcome> done) override {
    store_->Erase(key, expected, std::move(done));
  }
  void Append(const relay::ChannelRef& channel, uint64_t version, relay::Role author,
              uint64_t number, std::string frame, Done<relay::AppendResult> done) override {
    store_->Append(channel, version, author, number, std::move(frame), std::move(done));
  }
  void Accept(const relay::ChannelRef& channel, relay::Role author, uint64_t cursor,
              Done<relay::LogState> done) override;
  void Read(const relay::ChannelRef& channel, relay::Role author, uint64_t after, size_t max_bytes,
            Done<std::vector<relay::StoredFrame>> done) override {
    store_->Read(channel, author, after, max_bytes, std::move(done));
  }
  void Due(absl::Time now, size_t limit, Done<std::vector<relay::ChannelKey>> done) override {
    store_->Due(now, limit, std::move(done));
  }
  void Flush() override;
  bool shared() const override { return true; }
  std::optional<relay::ChannelSnapshot> Cached(const relay::ChannelKey& key) override {
    return store_->Cached(key);
  }
  void SetAttached(const relay::ChannelRef& channel, relay::Role role, bool attached) override {
    store_->SetAttached(channel, role, attached);
  }
  void TellThirdParties(const relay::ChannelRef& channel, uint32_t count) override {
    store_->TellThirdParties(channel, count);
  }
  void StopTelling() override { store_->StopTelling(); }

 private:
  relay::MachineTime Machine() const;
  void SetClock();
  void PlanClock(uint64_t process);
  void NoteGone();
  void NoteTrouble() { trouble_at_ = world_->stage().loop->now(); }

  EtcdWorld* const world_;
  SimRandom random_;
  const int number_;
  bool away_ = false;
  absl::Duration trouble_at_;  // the last time
  // Of the process that began last.
  uint64_t process_ = 0;
  bool runs_ = false;
  bool started_ = false;   // the store works
  absl::Duration off_;     // by how much its machine's clock is wrong
  absl::Duration astray_;  // and the time that the relay goes by, as far as the trace says
  std::unique_ptr<relay::RelayClock> clock_;
  std::unique_ptr<relay::EtcdStore> store_;  // which owns end_
  EtcdEnd* end_ = nullptr;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_ETCD_ETCD_FRONT_H_
