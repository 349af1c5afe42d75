// deploy/backup and deploy/restore, while a relay is at work.
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/end_to_end/backup_fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

// The first column of the only row.
std::string Query(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  std::string value;
  if (sqlite3_step(statement) == SQLITE_ROW) {
    value = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return value;
}

// How many channels a relay has there to which one has come at most: it lies in its batch, and
// seconds later in the tables.
std::string ChannelsIn(const std::string& file) {
  return Query(file, "SELECT (SELECT count(*) FROM channels) + (SELECT count(*) FROM batches)");
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

// One exchange after the other on some threads, while this lives.
class Load {
 public:
  explicit Load(const Options& options) {
    for (int i = 0; i < 4; ++i) {
      threads_.emplace_back([this, options](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          auto initiator = Initiator::Create(options, std::string(3000, 'a'));
          auto receiver = Receiver::Create(options, initiator->GetCode().value(), "b");
          EXPECT_EQ(initiator->GetData().value_or("failed"), "b");
          EXPECT_EQ(receiver->GetData().value_or("failed").size(), 3000u);
          ++finished_;
          finished_.notify_all();
        }
      });
    }
  }

  void AwaitMore(int count) {
    const int aim = finished_ + count;
    for (int now = finished_; now < aim; now = finished_) finished_.wait(now);
  }

 private:
  std::atomic<int> finished_ = 0;
  std::vector<std::jthread> threads_;
};

// What is committed and not yet in the file itself.
std::string LogOf(const std::string& file) { return file + "-wal"; }

class RestoreTest : public BackupTest {
 protected:
  // A file with a channel and its log, of a relay that was killed, and a copy without channels.
  void SetUp() override {
    StartRelay();
    copy_ = Backup();
    ASSERT_TRUE(Initiator::Create(NewOptions(), "a")->GetCode().ok());
    KillRelay();
    ASSERT_GT(std::filesystem::file_size(LogOf(file_)), 0u);
  }

  // Takes the place of a program that the scripts call.
  void Replace(const std::string& program, const std::string& script) {
    const std::string path = PathOf("bin/" + program);
    std::filesystem::create_directory(PathOf("bin"));
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  Run Restore() { return RunScript("restore", {copy_, file_}); }

  const std::string file_ = PathOf("relay.db");
  std::string copy_;
};

TEST_F(BackupTest, OfARelayUnderLoadIsWhole) {
  StartRelay();
  auto waiting = Initiator::Create(NewOptions(), "a");
  const std::string code = waiting->GetCode().value();
  std::string copy;
  {
    Load load(NewOptions());
    for (int i = 0; i < 5; ++i) {
      load.AwaitMore(5);
      copy = Backup();
      EXPECT_EQ(Query(copy, "PRAGMA integrity_check"), "ok");
      // What belongs together was committed together.
      EXPECT_EQ(Query(copy,
                      "SELECT count(*) FROM channels WHERE channel >> 30 NOT IN "
                      "(SELECT app FROM apps)"),
                "0");
      EXPECT_EQ(Query(copy,
                      "SELECT count(*) FROM frames WHERE log / 2 NOT IN "
                      "(SELECT channel FROM channels WHERE life = 0)"),
                "0");
    }
    load.AwaitMore(5);  // it goes on as before
  }
  RollBack(copy);
  // Who was there all the time has noticed nothing.
  auto receiver = Receiver::Create(NewOptions(), code, "b");
  EXPECT_EQ(waiting->GetData().value_or("failed"), "b");
  EXPECT_EQ(receiver->GetData().value_or("failed"), "a");
  ExpectToServe();
}

TEST_F(BackupTest, OfAStoppedRelay) {
  StartRelay();
  auto initiator = Initiator::Create(NewOptions(), "a");
  ASSERT_TRUE(initiator->GetCode().ok());
  KillRelay();  // its last commits are in the log
  EXPECT_EQ(ChannelsIn(Backup()), "1");
}

TEST_F(BackupTest, KeepsTheNewestOnesAndNothingElse) {
  StartRelay();
  const std::string folder = PathOf("it's a folder");
  std::filesystem::create_directory(folder);
  for (const char* name : {"relay-2001-01-01T000000Z.db", "relay-2001-01-02T000000Z.db",
                           "relay-2001-01-03T000000Z.db", "relay.db", "notes.txt"}) {
    std::ofstream(folder + "/" + name) << "x";
  }
  const Run run = RunScript("backup", {PathOf("relay.db"), folder, "2"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(NamesIn(folder), ::testing::UnorderedElementsAre(
                                   std::filesystem::path(run.out).filename().string(),
                                   "relay-2001-01-03T000000Z.db", "relay.db", "notes.txt"));
  struct stat status = {};
  ASSERT_EQ(stat(run.out.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);  // as the file itself
}

TEST_F(BackupTest, SaysWhatItDoesNotCopy) {
  const std::string folder = PathOf("backups");
  std::filesystem::create_directory(folder);
  const std::string other = PathOf("other.db");
  std::ofstream(other) << "not SQLite's, and longer than its header, so that it looks at all of it"
                       << std::string(200, '.');
  EXPECT_EQ(RunScript("backup", {}).status, 2);
  for (const char* keep : {"many", "-1", "", "0", "00", "08", "010"}) {
    const Run run = RunScript("backup", {other, folder, keep});
    EXPECT_EQ(run.status, 2) << keep;
    EXPECT_THAT(run.err, StartsWith("usage: ")) << keep;
  }
  Run run = RunScript("backup", {PathOf("none.db"), folder});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("none.db is not there"));
  EXPECT_NE(RunScript("backup", {other, folder}).status, 0);
  EXPECT_THAT(NamesIn(folder), SizeIs(0));
  EXPECT_FALSE(std::filesystem::exists(PathOf("none.db")));
}

TEST_F(BackupTest, NothingIsRestoredUnderARelayOrFromRubbish) {
  StartRelay();
  const std::string copy = Backup();
  const std::string file = PathOf("relay.db");
  Run run = RunScript("restore", {copy, file});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("stop it first"));
  ExpectToServe();
  StopRelay();
  const std::string rubbish = PathOf("rubbish.db");
  std::ofstream(rubbish) << std::string(5000, 'x');
  std::string torn = PathOf("torn.db");
  std::filesystem::copy_file(copy, torn);
  std::filesystem::resize_file(torn, std::filesystem::file_size(torn) / 2);
  for (const std::string& bad : {rubbish, torn, PathOf("none.db")}) {
    EXPECT_EQ(RunScript("restore", {bad, file}).status, 1) << bad;
  }
  EXPECT_EQ(Query(file, "PRAGMA integrity_check"), "ok");
  EXPECT_THAT(NamesIn(PathOf("")), ::testing::Not(::testing::Contains(HasSubstr(".old-"))));
}

TEST_F(RestoreTest, TheOldFileIsKeptWithWhatItsLogHad) {
  const Run run = Restore();
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(NamesIn(run.out), ElementsAre("relay.db"));
  EXPECT_EQ(ChannelsIn(run.out + "/relay.db"), "1");
  EXPECT_FALSE(std::filesystem::exists(LogOf(file_)));
  EXPECT_EQ(ChannelsIn(file_), "0");
}

TEST_F(RestoreTest, ALogThatCannotBeWrittenIsKeptAsItIs) {
  Replace("sqlite3", R"(case "$*" in *checkpoint*) exit 1 ;; esac; exec /usr/bin/sqlite3 "$@")");
  const Run run = Restore();
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_FALSE(std::filesystem::exists(LogOf(file_)));
  EXPECT_EQ(ChannelsIn(file_), "0");
  EXPECT_EQ(ChannelsIn(run.out + "/relay.db"), "1");
}

TEST_F(RestoreTest, DamageIsMovedAway) {
  std::filesystem::remove(LogOf(file_));  // SQLite would mend the file with it
  std::ofstream(file_) << std::string(5000, 'x');
  const Run run = Restore();
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(std::filesystem::file_size(run.out + "/relay.db"), 5000u);
  StartRelay();
  ExpectToServe();
}

TEST_F(RestoreTest, WhereThereWasNoFile) {
  for (const char* end : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(file_ + end);
  const Run run = Restore();
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(NamesIn(run.out), SizeIs(0));
  StartRelay();
  ExpectToServe();
}

TEST_F(RestoreTest, KilledBeforeTheLastStepTheOldFileIsInPlaceAndWhole) {
  Replace("mv", "kill -KILL $PPID");
  const Run run = Restore();
  EXPECT_EQ(run.status, 128 + SIGKILL);
  EXPECT_EQ(ChannelsIn(file_), "1");
  EXPECT_EQ(ChannelsIn(run.out + "/relay.db"), "1");
  std::filesystem::remove(PathOf("bin/mv"));
  EXPECT_EQ(Restore().status, 0);
  EXPECT_EQ(ChannelsIn(file_), "0");
}

TEST_F(RestoreTest, SignalsComeTooLate) {
  Replace("mv",
          R"(for signal in HUP INT TERM; do kill -$signal $PPID $$; done; exec /bin/mv "$@")");
  const Run run = Restore();
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(ChannelsIn(file_), "0");
  EXPECT_EQ(ChannelsIn(run.out + "/relay.db"), "1");
}

TEST_F(RestoreTest, OnlyForTheOwner) {
  Replace("id", "echo 12345");
  Run run = Restore();
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, AllOf(StartsWith("restore: "), HasSubstr("/relay.db is "),
                             EndsWith("as that user\n")));
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(std::filesystem::exists(LogOf(file_)));

  // Nor is a lock left behind that the relay could not take.
  const std::string folder = PathOf("folder");
  std::filesystem::create_directory(folder);
  run = RunScript("restore", {copy_, folder + "/relay.db"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("/folder is "));
  EXPECT_THAT(NamesIn(folder), SizeIs(0));
}

}  // namespace
}  // namespace wormhole::testing
