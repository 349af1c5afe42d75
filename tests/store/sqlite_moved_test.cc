// Files that are removed, replaced or cut beneath a store that has them open: it says so, and
// answers nothing that would be gone with its process.
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/blocking_store.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SqliteMovedTest : public ::testing::Test {
 protected:
  SqliteMovedTest() {
    Open();
    EXPECT_EQ(Call().Put(key_, 0, Record("i", "r")), PutOutcome::kDone);
    EXPECT_TRUE(TryAppend(1).ok());
  }

  void Open() {
    store_.reset();
    auto store =
        SqliteStore::Open(file_, {.on_trouble = [this](const absl::Status& status) {
                            told_.push_back(status.ok() ? "works" : std::string(status.message()));
                          }});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  BlockingStore Call() { return BlockingStore(*store_); }
  absl::Status TryAppend(uint64_t number) {
    return Call().TryAppend(key_, 1, Role::kInitiator, number, "x").status();
  }

  // Whoever posts, makes a channel or merely looks is told what has happened to which file.
  void ExpectAway(const std::string& file, const std::string& what) {
    for (const absl::Status& status :
         {TryAppend(2), Call().TryPut({"another app", 1}, 0, Record("j")).status()}) {
      EXPECT_TRUE(IsStoreAway(status)) << status;
      EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(file), HasSubstr(what)));
    }
    EXPECT_THAT(told_, AllOf(Not(IsEmpty()), Each(AllOf(HasSubstr(file), HasSubstr(what)))));
  }

  const ChannelKey key_ = {"example.com/app1", 7};
  testing::TempFolder folder_;
  const std::string file_ = folder_.File("relay.db");
  const std::string aside_ = folder_.File("aside");
  std::vector<std::string> told_;  // before store_, which tells
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(SqliteMovedTest, AFileThatIsRemovedIsNotWrittenTo) {
  fs::remove(file_);
  ExpectAway(file_, "was removed");
}

TEST_F(SqliteMovedTest, AFileThatIsReplacedIsNotWrittenTo) {
  fs::copy_file(file_, aside_);
  fs::rename(aside_, file_);
  ExpectAway(file_, "was replaced");
}

TEST_F(SqliteMovedTest, TheLogIsWatchedToo) {
  fs::remove(file_ + "-wal");
  ExpectAway(file_ + "-wal", "was removed");
}

TEST_F(SqliteMovedTest, SoAreTheSharedMemoryAndTheLock) {
  fs::remove(file_ + "-shm");
  ExpectAway(file_ + "-shm", "was removed");
  Open();
  told_.clear();
  fs::remove(file_ + ".lock");
  ExpectAway(file_ + ".lock", "was removed");
}

TEST_F(SqliteMovedTest, AnIdleStoreFindsOutByItself) {
  fs::remove(file_);
  std::promise<absl::Status> answered;
  store_->Due(At(0), 1, [&answered](const absl::StatusOr<std::vector<ChannelKey>>& due) {
    answered.set_value(due.status());
  });
  store_->Flush();
  EXPECT_TRUE(IsStoreAway(answered.get_future().get()));
  EXPECT_THAT(told_, AllOf(Not(IsEmpty()), Each(HasSubstr("was removed"))));
}

TEST_F(SqliteMovedTest, AFileThatIsPutBackIsGoneOnWith) {
  fs::rename(file_, aside_);
  EXPECT_TRUE(IsStoreAway(TryAppend(2)));
  fs::rename(aside_, file_);
  EXPECT_TRUE(TryAppend(2).ok());
  Open();
  EXPECT_THAT(Call().Read(key_, Role::kInitiator), ElementsAre(Frame(1u, "x"), Frame(2u, "x")));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("was removed"), "works"));
}

TEST_F(SqliteMovedTest, ALogThatIsCutIsLostForGood) {
  const std::string log = file_ + "-wal";
  const auto size = fs::file_size(log);
  fs::resize_file(log, 100);
  const absl::Status status = TryAppend(2);
  EXPECT_TRUE(IsStoreAway(status)) << status;
  fs::resize_file(log, size);
  EXPECT_TRUE(IsStoreAway(TryAppend(2)));
}

TEST_F(SqliteMovedTest, AFileThatIsCutIsLostForGood) {
  Open();  // the log has gone into the file
  EXPECT_TRUE(TryAppend(2).ok());
  const auto size = fs::file_size(file_);
  fs::resize_file(file_, size / 2);
  const absl::Status status = TryAppend(3);
  EXPECT_TRUE(IsStoreAway(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("was cut"));
  fs::resize_file(file_, size);
  EXPECT_TRUE(IsStoreAway(TryAppend(3)));
}

TEST_F(SqliteMovedTest, ARelayThatIsRestartedGoesOnWithWhatIsThere) {
  fs::remove(file_);
  EXPECT_TRUE(IsStoreAway(TryAppend(2)));
  store_.reset();
  Open();
  EXPECT_EQ(Call().Load(key_), std::nullopt);
  EXPECT_EQ(Call().Put(key_, 0, Record("i", "r")), PutOutcome::kDone);
}

}  // namespace
}  // namespace wormhole::relay
