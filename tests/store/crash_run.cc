#include "tests/store/crash_run.h"

#include <algorithm>
#include <future>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/crash_disk.h"
#include "tests/store/crash_vfs.h"
#include "tests/store/random_operation.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

using Operations = std::vector<RandomOperation>;

// Operations that the store carries out as one batch, since they are queued at once, inside an
// answer.
struct Burst {
  Operations operations;
  std::vector<absl::StatusOr<std::string>> answers;
  CrashDisk::Result change_failure = CrashDisk::Result::kOk;
  CrashDisk::Result sync_failure = CrashDisk::Result::kOk;
};

std::unique_ptr<MemoryChannels> Replay(const Operations& operations) {
  auto model = std::make_unique<MemoryChannels>();
  for (const RandomOperation& operation : operations) Carry(operation, *model);
  return model;
}

std::string FirstDifference(const std::string& found, const std::string& right) {
  std::istringstream found_lines(found);
  std::istringstream right_lines(right);
  std::string found_line;
  std::string right_line;
  while (found_line == right_line && found_lines && right_lines) {
    std::getline(found_lines, found_line);
    std::getline(right_lines, right_line);
  }
  return absl::StrCat("found: ", found_line, "\ninstead of: ", right_line);
}

class CrashRun {
 public:
  explicit CrashRun(const CrashRunOptions& options)
      : options_(options), random_(options.seed), disk_(options.lying_disk) {}

  std::string Run() {
    for (int crash = 0; crash < options_.crashes && wrong_.empty(); ++crash) {
      if (!Open()) break;
      DrawBursts();
      RunBursts();
      JudgeBursts();
      Stop();
    }
    if (wrong_.empty()) Open();
    store_.reset();
    return wrong_.empty() ? "" : absl::StrCat("seed ", options_.seed, ": ", wrong_);
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  // Opens the store and looks whether it holds what it must.
  bool Open() {
    const SqliteOptions options = {
        .vfs = vfs_.name(), .checkpoint_pages = 20, .fold_after = Below(3)};
    if (Below(4) == 0) {  // the power goes while the store recovers
      disk_.LosePowerAfter(static_cast<int64_t>(1 + Below(12)));
      SqliteStore::Open(file_, options).status().IgnoreError();
      disk_.RestorePower(random_);
    }
    auto store = SqliteStore::Open(file_, options);
    if (store.ok()) {
      store_ = *std::move(store);
      CheckState();
    } else {
      wrong_ = absl::StrCat("cannot open: ", store.status().message());
    }
    return wrong_.empty();
  }

  // What was acknowledged, or that and one batch whose commit had failed.
  void CheckState() {
    const std::string found = Describe(*store_);
    const std::string acknowledged = Describe(*Replay(acknowledged_));
    const std::vector<Operations> possible = std::exchange(possible_, {});
    if (found == acknowledged) return NoteDue();
    for (const Operations& operations : possible) {
      Operations all = acknowledged_;
      all.insert(all.end(), operations.begin(), operations.end());
      if (found != Describe(*Replay(all))) continue;
      acknowledged_ = std::move(all);
      return NoteDue();
    }
    wrong_ = FirstDifference(found, acknowledged);
  }

  // Describe has asked the store for what is due, so that it has forgotten who rested.
  void NoteDue() { acknowledged_.push_back({.kind = RandomOperation::Kind::kDue}); }

  CrashDisk::Result DrawFailure() {
    if (!options_.failing_disk || Below(6) != 0) return CrashDisk::Result::kOk;
    return Below(2) == 0 ? CrashDisk::Result::kFull : CrashDisk::Result::kBroken;
  }

  void DrawBursts() {
    const std::unique_ptr<MemoryChannels> model = Replay(acknowledged_);
    bursts_.clear();
    bursts_.resize(1 + Below(25));
    for (Burst& burst : bursts_) {
      burst.change_failure = DrawFailure();
      burst.sync_failure = DrawFailure();
      burst.operations.resize(1 + Below(6));
      for (RandomOperation& operation : burst.operations) {
        operation = DrawOperation(*model, random_);
        Carry(operation, *model);
      }
    }
  }

  void RunBursts() {
    if (Below(4) != 0) disk_.LosePowerAfter(static_cast<int64_t>(1 + Below(200)));
    std::promise<void> finished;
    store_->Load({"a", 1}, [&](auto) { StartBurst(0, finished); });
    store_->Flush();
    finished.get_future().wait();
  }

  // On the store's thread.
  void StartBurst(size_t index, std::promise<void>& finished) {
    if (index == bursts_.size()) return finished.set_value();
    Burst& burst = bursts_[index];
    disk_.Fail(burst.change_failure);
    disk_.FailSyncs(burst.sync_failure);
    for (const RandomOperation& operation : burst.operations) {
      Carry(operation, *store_, [this, &burst, index, &finished](auto answer) {
        burst.answers.push_back(std::move(answer));
        if (burst.answers.size() == burst.operations.size()) StartBurst(index + 1, finished);
      });
    }
  }

  void JudgeBursts() {
    const std::unique_ptr<MemoryChannels> model = Replay(acknowledged_);
    for (const Burst& burst : bursts_) {
      const auto failed = std::count_if(burst.answers.begin(), burst.answers.end(),
                                        [](const auto& answer) { return !answer.ok(); });
      if (failed == 0) {
        // A commit takes the place of what failed commits left behind.
        const std::string before = possible_.empty() ? "" : Describe(*model);
        JudgeAnswers(burst, *model);
        if (!possible_.empty() && before != Describe(*model)) possible_.clear();
      } else if (static_cast<size_t>(failed) == burst.answers.size()) {
        possible_.push_back(burst.operations);
      } else {
        wrong_ = "a batch failed in part";
      }
    }
  }

  void JudgeAnswers(const Burst& burst, MemoryChannels& model) {
    for (size_t i = 0; i < burst.operations.size(); ++i) {
      const std::string right = Carry(burst.operations[i], model);
      acknowledged_.push_back(burst.operations[i]);
      if (*burst.answers[i] != right && wrong_.empty()) {
        wrong_ = absl::StrCat("answered ", *burst.answers[i], " instead of ", right);
      }
    }
  }

  // Closes the store: gently, or the power goes meanwhile.
  void Stop() {
    if (Below(4) != 0) disk_.LosePowerAfter(static_cast<int64_t>(1 + Below(6)));
    store_.reset();
    disk_.RestorePower(random_);
  }

  const CrashRunOptions options_;
  std::mt19937_64 random_;
  testing::TempFolder folder_;
  const std::string file_ = folder_.File("crash.db");
  CrashDisk disk_;
  CrashVfs vfs_{&disk_};
  std::unique_ptr<SqliteStore> store_;
  std::vector<Burst> bursts_;
  Operations acknowledged_;           // since the beginning
  std::vector<Operations> possible_;  // batches that failed since the last commit
  std::string wrong_;
};

}  // namespace

std::string RunCrashes(const CrashRunOptions& options) { return CrashRun(options).Run(); }

}  // namespace wormhole::relay
