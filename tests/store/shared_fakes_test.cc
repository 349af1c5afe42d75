// What stores promise that several relays share, of the fakes that stand for one in the tests of
// the switchboard and in the simulation.
#include <memory>
#include <utility>
#include <vector>

#include "relay/switchboard/testing/group_store.h"
#include "relay/switchboard/testing/group_tables.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/sim_group.h"
#include "tests/simulation/trace.h"
#include "tests/store/shared_contract.h"

namespace wormhole::relay {
namespace {

class GroupShared final : public SharedStoreUnderTest {
 public:
  std::unique_ptr<RelayEnd> Join() override {
    return std::make_unique<End>(this, static_cast<int>(++relays_));
  }
  bool Settle() override {
    for (bool any = true; any;) {
      any = false;
      for (End* end : ends_) {
        while (end->group_store().Answer() || end->group_store().TellNext()) any = true;
      }
    }
    return true;
  }
  void Miss(RelayEnd& relay, RelayEnd&, const std::function<void()>& change) override {
    std::vector<End*> all = ends_;
    std::erase(ends_, &relay);
    change();
    ends_ = std::move(all);
    static_cast<End&>(relay).group_store().LoseNews();
  }

 private:
  class End final : public RelayEnd {
   public:
    End(GroupShared* group, int number)
        : group_(group), number_(number), store_(&group->tables_, number) {
      group_->ends_.push_back(this);
      EXPECT_TRUE(store_.Start(&listener_).ok());
    }
    ~End() override {
      std::erase(group_->ends_, this);
      store_.StopTelling();
      group_->tables_.ForgetAttached(number_);
    }
    Store& store() override { return store_; }
    GroupStore& group_store() { return store_; }
    NotingListener& listener() override { return listener_; }

   private:
    GroupShared* const group_;
    const int number_;
    NotingListener listener_;
    GroupStore store_;
  };

  GroupTables tables_;
  std::vector<End*> ends_;
  int relays_ = 0;
};

// Without faults.
class SimShared final : public SharedStoreUnderTest {
 public:
  std::unique_ptr<RelayEnd> Join() override { return std::make_unique<End>(group_.AddRelay()); }
  bool Settle() override {
    (void)loop_.Run(loop_.now() + absl::Minutes(1), SIZE_MAX, [] { return false; });
    return true;
  }
  void Miss(RelayEnd& relay, RelayEnd&, const std::function<void()>& change) override {
    simulation::RelayStore& store = static_cast<End&>(relay).sim_store();
    store.SetAway(true);
    change();
    store.SetAway(false);
  }

 private:
  class End final : public RelayEnd {
   public:
    explicit End(simulation::RelayStore* store) : store_(store) {
      EXPECT_TRUE(store_->Start(&listener_).ok());
    }
    ~End() override { store_->Crash(); }
    Store& store() override { return *store_; }
    simulation::RelayStore& sim_store() { return *store_; }
    NotingListener& listener() override { return listener_; }

   private:
    NotingListener listener_;
    simulation::RelayStore* const store_;  // the group's
  };

  simulation::EventLoop loop_;
  simulation::Trace trace_{&loop_, /*on=*/false};
  const simulation::Stage stage_{
      .loop = &loop_, .trace = &trace_, .flaws = {}, .faults_end = absl::ZeroDuration()};
  simulation::SimGroup group_{&stage_, {}, {}, simulation::SimRandom(1)};
};

std::unique_ptr<SharedStoreUnderTest> MakeGroup() { return std::make_unique<GroupShared>(); }
std::unique_ptr<SharedStoreUnderTest> MakeSim() { return std::make_unique<SimShared>(); }

INSTANTIATE_TEST_SUITE_P(GroupStore, SharedStoreContractTest, ::testing::Values(&MakeGroup));
INSTANTIATE_TEST_SUITE_P(SimFront, SharedStoreContractTest, ::testing::Values(&MakeSim));

}  // namespace
}  // namespace wormhole::relay
