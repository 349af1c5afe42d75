// A store of one relay's own in virtual time: calls take effect in order, become durable after a
// while in batches, and a crash loses what was not durable yet. Over the shipped tables of the
// memory store.
#ifndef WORMHOLE_TESTS_SIMULATION_SIM_STORE_H_
#define WORMHOLE_TESTS_SIMULATION_SIM_STORE_H_

#include <array>
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
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/store.h"
#include "tests/simulation/random.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/stage.h"

namespace wormhole::simulation {

class SimStore final : public RelayStore, public StoreTruth {
 public:
  SimStore(const Stage* stage, StorePlan plan, SimRandom random);

  // RelayStore. A crash loses what is not durable.
  void Crash() override;
  void Forget() override;
  void SetAway(bool away) override { away_ = away; }

  // StoreTruth
  bool IsDurableMember(const std::string& app_id, const std::string& side) const override;
  bool HasChannels() const override;
  int BrokenRests() const override { return broken_rests_; }
  std::string PeerOf(const std::string& app_id, const std::string& side) const override;

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

 private:
  using Tables = relay::MemoryChannels;
  using Work = std::function<void(Tables&)>;
  struct Call {
    // Runs the call; what it returns gives the answer.
    std::function<std::function<void()>(Tables&)> run;
    std::function<void(const absl::Status&)> fail;
    Work again;          // the same without an answer; empty for one that changes nothing
    bool early = false;  // answered before it is durable: a flaw
  };
  using Batch = std::vector<Call>;
  using Answers = std::vector<std::function<void()>>;

  template <typename T>
  void Add(std::function<absl::StatusOr<T>(Tables&)> work, Done<T> done, bool changes,
           bool early = false);
  void StartBatch();
  void FinishBatch(Batch batch, Answers answers);
  void FailBatch(Batch batch);
  void MakeDurable(Call& call);
  // As Tables::Put, with the flaws that concern who follows whom.
  relay::PutOutcome PutFlawed(Tables& tables, const relay::ChannelKey& key, uint64_t expected,
                              const relay::ChannelRecord& record, const relay::PutOptions& options);
  // The tables as a crash would leave them.
  std::unique_ptr<Tables> Replay() const;
  // `action` after a while, unless the process ends before.
  void Later(absl::Duration most, std::function<void()> action);

  const Stage* const stage_;
  const StorePlan plan_;
  SimRandom random_;
  bool away_ = false;
  int broken_rests_ = 0;
  uint64_t process_ = 1;
  bool busy_ = false;
  std::deque<Call> queue_;
  std::vector<Work> durable_;  // every change so far
  // For a flaw: the cursors of the channel that has ended last under an id, by author.
  std::map<relay::ChannelKey, relay::PerRole<uint64_t>> inheritance_;
  size_t last_batch_ = 0;  // where the last batch began in durable_
  std::unique_ptr<Tables> tables_;
  std::unique_ptr<Tables> durable_tables_;  // what durable_ makes
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SIM_STORE_H_
