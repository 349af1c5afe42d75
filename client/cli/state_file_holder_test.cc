// One process at a time has the file, and cleans up after one that died.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "client/cli/durable_file.h"
#include "client/cli/state_file.h"
#include "client/cli/testing/state_file_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST_F(StateFileTest, ASecondHolderIsRefusedAlsoAfterReplacement) {
  std::shared_ptr<StateFile> file = New();
  ASSERT_TRUE(file->Save("one").ok());
  ASSERT_TRUE(file->Save("two").ok());
  absl::StatusOr<std::shared_ptr<StateFile>> second = StateFile::ForResume(path_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(ReasonOf(second.status()), Reason::kInUseElsewhere);
  EXPECT_EQ(ReasonOf(StateFile::ForNew(path_).status()), Reason::kInUseElsewhere);
  // The refused ones have not taken the lock file with them.
  EXPECT_EQ(ReasonOf(StateFile::ForResume(path_).status()), Reason::kInUseElsewhere);
  file.reset();
  EXPECT_TRUE(StateFile::ForResume(path_).ok());
}

TEST_F(StateFileTest, ACloseGivesTheLockBackWhileAHookStillHoldsTheObject) {
  std::shared_ptr<StateFile> file = New();
  ASSERT_TRUE(file->Save("one").ok());
  file->Close();
  EXPECT_THAT(Names(), UnorderedElementsAre("state"));
  absl::StatusOr<std::shared_ptr<StateFile>> next = StateFile::ForResume(path_);
  ASSERT_TRUE(next.ok());
  EXPECT_FALSE(file->Save("late").ok());
  file.reset();
  EXPECT_EQ((*next)->Load()->view(), "one");
  EXPECT_EQ(ReasonOf(StateFile::ForResume(path_).status()), Reason::kInUseElsewhere);
}

TEST_F(StateFileTest, ALockFileOfAnotherUserIsRefused) {
  const std::string lock = path_ + ".wormhole-lock";
  std::ofstream(lock) << "";
  if (chown(lock.c_str(), geteuid() + 1, static_cast<gid_t>(-1)) != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  const absl::Status status = StateFile::ForNew(path_).status();
  EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("belongs to another user"));
  EXPECT_THAT(Names(), UnorderedElementsAre("state.wormhole-lock"));
}

TEST_F(StateFileTest, TheLockEndsWithItsProcess) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    absl::StatusOr<std::shared_ptr<StateFile>> file = StateFile::ForNew(path_);
    const char done = file.ok() && (*file)->Save("childs").ok() ? 'y' : 'n';
    if (write(ready[1], &done, 1) != 1) _exit(1);
    while (true) pause();
  }
  char done = 0;
  ASSERT_EQ(read(ready[0], &done, 1), 1);
  EXPECT_EQ(done, 'y');
  EXPECT_EQ(ReasonOf(StateFile::ForResume(path_).status()), Reason::kInUseElsewhere);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  absl::StatusOr<std::shared_ptr<StateFile>> file = StateFile::ForResume(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->Load()->view(), "childs");
  close(ready[0]);
  close(ready[1]);
}

TEST_F(StateFileTest, ACrashBetweenWriteAndRenameKeepsTheOldContent) {
  ASSERT_TRUE(New()->Save("old").ok());
  const int folder = open(folder_.c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(WriteTemporary(folder, "state.wormhole-new", "half of the n").ok());
  close(folder);
  absl::StatusOr<std::shared_ptr<StateFile>> file = StateFile::ForResume(path_);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->Load()->view(), "old");
  // What the crash left is in nobody's way.
  ASSERT_TRUE((*file)->Save("new").ok());
  EXPECT_EQ((*file)->Load()->view(), "new");
  EXPECT_THAT(Names(), UnorderedElementsAre("state", "state.wormhole-lock"));
}

TEST_F(StateFileTest, WhatACrashLeftIsRemovedByTheNextHolder) {
  const std::string left = path_ + ".wormhole-new";
  const auto leave = [&left] { std::ofstream(left) << "secret"; };
  leave();
  std::shared_ptr<StateFile> file = New();
  EXPECT_FALSE(std::filesystem::exists(left));
  ASSERT_TRUE(file->Save("content").ok());
  leave();
  file->Close();
  EXPECT_FALSE(std::filesystem::exists(left));
  leave();
  file = *StateFile::ForResume(path_);
  EXPECT_FALSE(std::filesystem::exists(left));
  leave();
  ASSERT_TRUE(file->Remove().ok());
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST_F(StateFileTest, TheTemporaryOfAHolderIsLeftAlone) {
  std::shared_ptr<StateFile> file = New();
  std::ofstream(path_ + ".wormhole-new") << "secret";
  EXPECT_FALSE(StateFile::ForNew(path_).ok());
  EXPECT_TRUE(std::filesystem::exists(path_ + ".wormhole-new"));
}

}  // namespace
}  // namespace wormhole::cli
