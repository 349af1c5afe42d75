// An exchange whose relay is rolled back from each moment to each earlier one.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "proto/sync/mutex.h"
#include "tests/end_to_end/backup_fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::AnyOf;

// The moments of an exchange: each save of either side, before which nothing has been said of what
// it saves. A side that comes to a chosen moment waits there.
class Moments {
 public:
  Moments(int first, int second) : chosen_{first, second} {}

  // From the save hook of either side.
  void Pass(std::string_view state) {
    const nlohmann::json saved = nlohmann::json::parse(state);
    sync::MutexLock lock(mutex_);
    const int moment = ++passed_;
    claimed_ = claimed_ || (saved["role"] == "receiver" && saved["joined"]);
    changed_.NotifyAll();
    for (int i = 0; i < 2; ++i) {
      while (chosen_[i] == moment && !let_go_[i]) changed_.Wait(mutex_);
    }
  }
  // A side is over.
  void End(const absl::Status& status) {
    sync::MutexLock lock(mutex_);
    ++ended_;
    failed_ = failed_ || !status.ok();
    changed_.NotifyAll();
  }
  // The receiver has begun, or never will.
  void Complete() {
    sync::MutexLock lock(mutex_);
    complete_ = true;
    changed_.NotifyAll();
  }

  // False when both are over without it.
  bool Await(int which) {
    sync::MutexLock lock(mutex_);
    while (passed_ < chosen_[which] && ended_ < 2) changed_.Wait(mutex_);
    return passed_ >= chosen_[which];
  }
  void LetGo(int which) {
    sync::MutexLock lock(mutex_);
    let_go_[which] = true;
    changed_.NotifyAll();
  }
  // Whether the claim was durable by now.
  bool claimed() {
    sync::MutexLock lock(mutex_);
    return claimed_;
  }
  // Until both are over, or one has failed: whoever is left alone would wait until its time is.
  void AwaitEnd() {
    sync::MutexLock lock(mutex_);
    while (!complete_ || (ended_ < 2 && !failed_)) changed_.Wait(mutex_);
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  const int chosen_[2];
  bool let_go_[2] WORMHOLE_GUARDED_BY(mutex_) = {};
  int passed_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  int ended_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool failed_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool claimed_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool complete_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

class RolledBackAnywhereTest : public BackupTest {
 protected:
  // The file of moment `to` is put back at moment `from`. False when the exchange was over before.
  bool RunOne(int to, int from) {
    SCOPED_TRACE("from moment " + std::to_string(from) + " to " + std::to_string(to));
    auto moments = std::make_shared<Moments>(to, from);
    Options options = NewOptions();
    options.on_save = [moments](std::string_view state) {
      moments->Pass(state);
      return absl::OkStatus();
    };
    std::optional<Receiver> receiver;
    Initiator initiator = Initiator::Create(options, "a").value();
    initiator.WhenData([moments](const auto& data) { moments->End(data.status()); });
    initiator.WhenCode([&receiver, options, moments](const absl::StatusOr<std::string>& code) {
      if (code.ok()) {
        receiver.emplace(Receiver::Create(options, *code, "b").value());
        receiver->WhenData([moments](const auto& data) { moments->End(data.status()); });
      }
      moments->Complete();
    });
    moments->Await(0);
    const bool all_joined = moments->claimed();
    const std::string copy = Backup();
    moments->LetGo(0);
    const bool in_time = moments->Await(1);
    if (in_time) RollBack(copy, /*killed=*/from % 2 == 0);
    moments->LetGo(1);
    moments->AwaitEnd();
    ExpectEnd(initiator, "b", all_joined);
    if (receiver) ExpectEnd(*receiver, "a", all_joined);
    return in_time;
  }

 private:
  // The peer's data or a typed failure, of which a file that knows both sides needs none.
  static void ExpectEnd(Party& party, const std::string& data, bool all_joined) {
    if (!all_joined) party.Cancel();
    const absl::StatusOr<std::string> end = party.GetData();
    if (end.ok()) {
      EXPECT_EQ(*end, data);
    } else {
      EXPECT_FALSE(all_joined) << end.status();
      EXPECT_THAT(ReasonOf(end.status()),
                  AnyOf(Reason::kNoSuchCode, Reason::kRefused, Reason::kPeerGaveUp,
                        Reason::kAborted, Reason::kCancelled, Reason::kUnproven))
          << end.status();
    }
    // A side that is cancelled while its first Open is with a relay that is killed ends there:
    // nobody can say whether it had joined, and it would not join only to leave.
    const absl::Status finish = party.Finish(absl::Seconds(30));
    EXPECT_TRUE(finish.ok() || ReasonOf(end.status()) == Reason::kCancelled) << finish;
  }
};

TEST_F(RolledBackAnywhereTest, EndsWithTheDataOrWithAReason) {
  StartRelay();
  int to = 1;
  int from = 2;
  for (; from < 100 && RunOne(to, from); to = 1, ++from) {
    for (to = 2; to < from && !HasFailure(); ++to) RunOne(to, from);
  }
  EXPECT_GE(from, 8) << "an exchange has more saves than that";
  EXPECT_LT(from, 100);
  ExpectToServe();
}

}  // namespace
}  // namespace wormhole::testing
