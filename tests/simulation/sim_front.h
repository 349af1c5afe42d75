// One relay's end of a store that several relays share.
#ifndef WORMHOLE_TESTS_SIMULATION_SIM_FRONT_H_
#define WORMHOLE_TESTS_SIMULATION_SIM_FRONT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/simulation/random.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/sim_group.h"

namespace wormhole::simulation {

// Calls take effect in batches, in order, a while after they were made and a while before they are
// answered. What was under way when the relay died, or lost sight of the store, may still take
// effect, also later.
class SimFront final : public RelayStore {
 public:
  SimFront(SimGroup* group, SimRandom random) : group_(group), random_(random) {}

  // There may be news.
  void Watch();
  // See StoreTruth.
  absl::Duration in_touch_since() const;

  // RelayStore
  void Crash() override;
  void SetAway(bool away) override;

  // relay::Store
  absl::Status Start(relay::StoreListener* listener) override;
  void Load(const relay::ChannelKey& key,
            Done<std::optional<relay::ChannelSnapshot>> done) override;
  void FindSide(std::string_view app_id, std::string_view side,
                Done<std::optional<uint32_t>> done) override;
  void Put(const relay::ChannelKey& key, uint64_t expected, relay::ChannelRecord record,
           const relay::PutOptions& options, Done<relay::PutOutcome> done) override;
  void Erase(const relay::ChannelKey& key, uint64_t expected,
             Done<relay::PutOutcome> done) override;
  void Append(const relay::ChannelRef& channel, uint64_t version, relay::Role author,
              uint64_t number, std::string frame, Done<relay::AppendResult> done) override;
  void Accept(const relay::ChannelRef& channel, relay::Role author, uint64_t cursor,
              Done<relay::LogState> done) override;
  void Read(const relay::ChannelRef& channel, relay::Role author, uint64_t after, size_t max_bytes,
            Done<std::vector<relay::StoredFrame>> done) override;
  void Due(absl::Time now, size_t limit, Done<std::vector<relay::ChannelKey>> done) override;
  void Flush() override {}
  bool shared() const override { return true; }
  std::optional<relay::ChannelSnapshot> Cached(const relay::ChannelKey& key) override;
  void SetAttached(const relay::ChannelRef& channel, relay::Role role, bool attached) override;
  void TellThirdParties(const relay::ChannelRef& channel, uint32_t count) override;
  void StopTelling() override;

 private:
  using Tables = relay::GroupTables;
  struct Call {
    // Takes effect; what it returns gives the answer.
    std::function<std::function<void()>()> run;
    std::function<void(const absl::Status&)> fail;
  };
  using Batch = std::shared_ptr<std::vector<Call>>;
  // A side of a channel, which its initiator names.
  using Name = std::tuple<relay::ChannelKey, std::string, relay::Role>;
  struct Seen {
    relay::ChannelSnapshot snapshot;
    size_t position = 0;  // of the history
  };

  template <typename T>
  void Add(std::function<absl::StatusOr<T>()> work, Done<T> done);
  void StartBatch();
  void CommitBatch(const Batch& batch);
  void FailBatch(const Batch& batch);
  void TakeEffectLate(const Batch& batch);
  void Finish();
  absl::StatusOr<std::optional<relay::ChannelSnapshot>> LookUp(const relay::ChannelKey& key,
                                                               int owner);
  void Look(const relay::ChannelKey& key);
  // `made`: see calls_.
  void NotePut(const relay::ChannelKey& key, const std::vector<Name>& brought, uint64_t made,
               relay::PutOutcome outcome);
  bool IsOlderThanOwn(const Tables::Side& side, size_t position) const;
  // Of what was seen at `position` of the history, what others have said before this relay's own
  // words, said or still to be said, counts no more.
  void Judge(const relay::ChannelKey& key, size_t position, relay::ChannelSnapshot& seen);

  // Of sides that a record brings along: until it is answered nothing is said of them, and nothing
  // is left of their words when it was not put.
  std::vector<Name> NamesOf(const relay::ChannelKey& key, const relay::ChannelRecord& record,
                            const relay::PutOptions& options) const;
  void Bring(const std::vector<Name>& names);
  void Landed(const std::vector<Name>& names, uint64_t made, bool put);
  void SayWords();
  void Superseded(const Tables::Side& side);
  // Takes back what calls have done that had failed.
  void TakeBackLateWords();
  // The lease has run out while the relay was cut off: it says anew what still holds.
  void SayAgain();

  void TellSome();
  void Tell(size_t position);
  void MissNews();
  void PlanDeafness();
  // `action` after a while, unless the process ends before.
  void Later(absl::Duration most, std::function<void()> action);

  SimGroup* const group_;
  SimRandom random_;
  bool away_ = false;
  uint64_t outages_ = 0;
  absl::Duration back_at_;

  // Of the present process.
  uint64_t process_ = 1;
  int owner_ = 0;  // names the process in the tables
  bool busy_ = false;
  std::deque<Call> queue_;
  Batch under_way_;
  std::map<relay::ChannelKey, Seen> known_;  // as it was seen last
  std::map<Name, bool> words_;               // which the store has not got yet
  std::map<Name, int> brought_;              // by records that are under way
  std::set<Name> said_;
  uint64_t calls_ = 0;  // puts and words, in the order in which they were made
  std::map<Name, uint64_t> last_word_;
  std::set<Tables::Side> late_sides_;  // that calls have brought along after they had failed
  // Where in the history is what this relay's calls did after they had failed: news to it, too.
  std::set<size_t> late_;
  bool lease_lost_ = false;
  relay::StoreListener* listener_ = nullptr;
  size_t told_ = 0;  // of the history
  bool telling_ = false;
  bool deaf_ = false;
  std::map<relay::ChannelKey, std::optional<relay::ChannelSnapshot>> old_snapshots_;  // for a flaw
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SIM_FRONT_H_
