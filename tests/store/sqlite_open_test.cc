// Which files are opened and which are refused, with one line each and without being touched.
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/blocking_store.h"
#include "tests/store/start_store.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

using ::testing::HasSubstr;

class SqliteOpenTest : public ::testing::Test {
 protected:
  // Opens the file, expects a refusal of one line, and returns it.
  absl::Status Refusal() {
    absl::Status status = SqliteStore::Open(file_).status();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr(file_));
    EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("\n")));
    return status;
  }

  std::string Message() { return std::string(Refusal().message()); }

  // Makes a relay's file with some channels in it.
  void MakeFile() {
    auto store = SqliteStore::Open(file_);
    ASSERT_TRUE(store.ok()) << store.status();
    BlockingStore blocking(**store);
    for (uint32_t id = 1; id <= 100; ++id) {
      blocking.Put({"a", id}, 0, Record("i" + std::to_string(id)));
    }
  }

  void Execute(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  std::string Content() {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  void Overwrite(const std::string& content) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << content;
  }

  static mode_t ModeOf(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 0777;
  }

  testing::TempFolder folder_;
  std::string file_ = folder_.File("relay.db");
};

TEST_F(SqliteOpenTest, ANewFileIsItsOwnersAlone) {
  auto store = SqliteStore::Open(file_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(ModeOf(file_), 0600u);
  EXPECT_EQ(ModeOf(file_ + "-wal"), 0600u);
  EXPECT_EQ(ModeOf(file_ + ".lock"), 0600u);
}

TEST_F(SqliteOpenTest, AnEmptyFileIsANewOne) {
  Overwrite("");
  EXPECT_TRUE(SqliteStore::Open(file_).ok());
}

TEST_F(SqliteOpenTest, ASecondRelayOnTheSameFileIsRefused) {
  auto first = SqliteStore::Open(file_);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status refusal = Refusal();
  EXPECT_TRUE(absl::IsFailedPrecondition(refusal));
  EXPECT_THAT(std::string(refusal.message()),
              HasSubstr("another relay (process " + std::to_string(::getpid()) + ")"));
  EXPECT_EQ(BlockingStore(**first).Put({"a", 1}, 0, Record("i")), PutOutcome::kDone);
  first->reset();
  EXPECT_TRUE(SqliteStore::Open(file_).ok());
}

TEST_F(SqliteOpenTest, ALinkToTheFileIsTheSameFile) {
  const std::string link = folder_.File("link.db");
  std::filesystem::create_symlink(file_, link);
  auto first = SqliteStore::Open(link);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(Message(), HasSubstr("another relay"));
}

TEST_F(SqliteOpenTest, AnotherProgramsFileIsRefusedAsItIs) {
  Execute("CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('x')");
  const std::string before = Content();
  EXPECT_THAT(Message(), HasSubstr("belongs to another program"));
  EXPECT_EQ(Content(), before);
  Execute("PRAGMA application_id = 1234; PRAGMA user_version = 1");
  EXPECT_THAT(Message(), HasSubstr("application id 1234"));
}

TEST_F(SqliteOpenTest, AFileThatIsNoDatabaseIsRefusedAsItIs) {
  const std::string text(5000, 't');
  Overwrite(text);
  EXPECT_THAT(Message(), HasSubstr("is not an SQLite file"));
  EXPECT_EQ(Content(), text);
}

TEST_F(SqliteOpenTest, ANewerSchemaIsRefusedAsItIs) {
  MakeFile();
  Execute("PRAGMA user_version = 3");
  const std::string before = Content();
  EXPECT_THAT(Message(), HasSubstr("newer relay (schema 3, this one knows 2)"));
  EXPECT_EQ(Content(), before);
}

TEST_F(SqliteOpenTest, ATruncatedFileIsDamaged) {
  MakeFile();
  std::filesystem::resize_file(file_, 8192);
  const absl::Status refusal = Refusal();
  EXPECT_TRUE(absl::IsDataLoss(refusal)) << refusal;
  EXPECT_THAT(std::string(refusal.message()), HasSubstr("restore a backup"));
}

TEST_F(SqliteOpenTest, AScribbledFileIsDamaged) {
  MakeFile();
  std::string content = Content();
  for (size_t i = 100; i < 4096; ++i) content[i] = '\x5a';
  Overwrite(content);
  EXPECT_TRUE(absl::IsDataLoss(Refusal()));
}

TEST_F(SqliteOpenTest, DamageInsideIsFoundWhenItIsRead) {
  MakeFile();
  std::string content = Content();
  for (size_t i = 4096; i < content.size(); ++i) content[i] = '\x5a';
  Overwrite(content);
  EXPECT_TRUE(absl::IsDataLoss(Refusal()));
}

TEST_F(SqliteOpenTest, WhatNoRelayHasWrittenIsDamage) {
  for (const char* sql :
       {"UPDATE channels SET batch = 9223372036854775807", "UPDATE channels SET batch = -1",
        "UPDATE channels SET batch = 1 << 61", "UPDATE channels SET life = 256",
        "UPDATE channels SET version = 0", "UPDATE channels SET initiator_forgotten = -1",
        "INSERT INTO batches VALUES (1 << 61, x'')", "INSERT INTO batches VALUES (1000, x'ff')",
        "INSERT INTO frames VALUES ((1 << 31) + 14, 2, x'78')"}) {
    std::filesystem::remove(file_);
    MakeFile();
    {
      // Into the tables.
      auto store = SqliteStore::Open(file_, {.fold_after = 0});
      ASSERT_TRUE(store.ok());
      BlockingStore(**store).Due(absl::InfinitePast());
      BlockingStore(**store).Due(absl::InfinitePast());
    }
    Execute(sql);
    const auto refused = SqliteStore::Open(file_).status();
    EXPECT_TRUE(absl::IsDataLoss(refused)) << sql << ": " << refused;
  }
}

TEST_F(SqliteOpenTest, MissingTablesAreFound) {
  MakeFile();
  Execute("DROP TABLE frames");
  EXPECT_TRUE(absl::IsDataLoss(Refusal()));
}

TEST_F(SqliteOpenTest, AFolderIsRefused) {
  std::filesystem::create_directory(file_);
  EXPECT_THAT(Message(), HasSubstr("is not a file"));
}

TEST_F(SqliteOpenTest, AMissingFolderIsRefused) {
  file_ = folder_.File("missing/relay.db");
  EXPECT_THAT(Message(), HasSubstr("missing must exist"));
}

TEST_F(SqliteOpenTest, ALogThatCannotBeOpenedIsRefused) {
  MakeFile();
  std::filesystem::create_directory(file_ + "-wal");
  EXPECT_THAT(Message(), HasSubstr("-wal"));
}

// Gives up root for its lifetime, if the test has it: root may write everywhere.
class Nobody {
 public:
  Nobody() {
    if (::getuid() == 0 && ::seteuid(65534) != 0) ADD_FAILURE() << "cannot give up root";
  }
  ~Nobody() {
    if (::getuid() == 0 && ::seteuid(0) != 0) ADD_FAILURE() << "cannot be root again";
  }
};

TEST(SqlitePermissionTest, AFileThatCannotBeWrittenIsRefused) {
  // Not below a folder of the build's, which others may not be let into.
  const testing::TempFolder temp("/tmp");
  const std::string& folder = temp.path();
  const std::string file = temp.File("relay.db");
  ASSERT_TRUE(SqliteStore::Open(file).ok());
  std::filesystem::permissions(file, std::filesystem::perms(0444));
  std::filesystem::permissions(file + ".lock", std::filesystem::perms(0666));
  std::filesystem::permissions(folder, std::filesystem::perms(0777));
  {
    const Nobody nobody;
    const absl::Status refusal = SqliteStore::Open(file).status();
    EXPECT_TRUE(absl::IsPermissionDenied(refusal)) << refusal;
    EXPECT_THAT(std::string(refusal.message()), HasSubstr("must be writable"));
  }
  std::filesystem::permissions(folder, std::filesystem::perms(0555));
  {
    const Nobody nobody;
    const absl::Status refusal = SqliteStore::Open(temp.File("new.db")).status();
    EXPECT_TRUE(absl::IsPermissionDenied(refusal)) << refusal;
    EXPECT_THAT(std::string(refusal.message()), HasSubstr("write to the folder " + folder));
  }
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
}

TEST_F(SqliteOpenTest, AnotherProgramMayCopyTheFileMeanwhile) {
  auto store = SqliteStore::Open(file_);
  ASSERT_TRUE(store.ok()) << store.status();
  BlockingStore blocking(**store);
  blocking.Put({"a", 1}, 0, Record("i", "r"));
  blocking.Append(ChannelKey{"a", 1}, 1, Role::kInitiator, 1, "x");
  const std::string copy = folder_.File("copy.db");
  Execute("VACUUM INTO '" + copy + "'");
  blocking.Append(ChannelKey{"a", 1}, 1, Role::kInitiator, 2, "y");
  auto copied = SqliteStore::Open(copy);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(BlockingStore(**copied).Load({"a", 1})->log(Role::kInitiator),
            (LogState{.stored = 1, .bytes = 1}));
}

}  // namespace
}  // namespace wormhole::relay
