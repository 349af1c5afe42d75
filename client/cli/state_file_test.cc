#include "client/cli/state_file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "client/cli/testing/state_file_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST_F(StateFileTest, SaveLoadRemove) {
  std::shared_ptr<StateFile> file = New();
  EXPECT_FALSE(file->exists());
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_TRUE(file->Save("one").ok());
  ASSERT_TRUE(file->Save("two").ok());
  EXPECT_TRUE(file->exists());
  EXPECT_EQ(file->Load()->view(), "two");
  struct stat info = {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_THAT(Names(), UnorderedElementsAre("state", "state.wormhole-lock"));
  ASSERT_TRUE(file->Remove().ok());
  EXPECT_FALSE(file->exists());
  // A late save of a background thread does not bring it back.
  EXPECT_TRUE(file->Save("late").ok());
  file.reset();
  EXPECT_THAT(Names(), UnorderedElementsAre());
}

TEST_F(StateFileTest, ResumeFindsWhatWasSaved) {
  ASSERT_TRUE(New()->Save("content").ok());
  absl::StatusOr<std::shared_ptr<StateFile>> again = StateFile::ForResume(path_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Load()->view(), "content");
  EXPECT_TRUE((*again)->exists());
}

TEST_F(StateFileTest, AFullDiskKeepsTheOldContent) {
  std::shared_ptr<StateFile> file = New();
  ASSERT_TRUE(file->Save("old").ok());
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 4096;
  signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = file->Save(std::string(10000, 'n'));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
  EXPECT_EQ(file->Load()->view(), "old");
  EXPECT_THAT(Names(), UnorderedElementsAre("state", "state.wormhole-lock"));
  EXPECT_TRUE(file->Save("new").ok());
}

TEST_F(StateFileTest, ARemovedFolderIsAnError) {
  std::shared_ptr<StateFile> file = New();
  std::filesystem::remove_all(folder_);
  EXPECT_FALSE(file->Save("x").ok());
  EXPECT_FALSE(file->exists());
}

TEST_F(StateFileTest, NewRefusesWhatExists) {
  MakeFile("precious");
  absl::StatusOr<std::shared_ptr<StateFile>> file = StateFile::ForNew(path_);
  EXPECT_EQ(ReasonOf(file.status()), Reason::kInvalidArgument);
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("it exists"));
  EXPECT_EQ(Content(), "precious");
  EXPECT_THAT(Names(), UnorderedElementsAre("state"));
}

TEST_F(StateFileTest, TheFirstSaveReplacesNothing) {
  std::shared_ptr<StateFile> file = New();
  MakeFile("precious");
  const absl::Status status = file->Save("secret");
  EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("made it meanwhile"));
  EXPECT_FALSE(file->exists());
  EXPECT_EQ(Content(), "precious");
  EXPECT_THAT(Names(), UnorderedElementsAre("state", "state.wormhole-lock"));
}

TEST_F(StateFileTest, FilesWithLikelyNamesAreLeftAlone) {
  for (const char* suffix : {".lock", ".new", ".tmp", "~"}) std::ofstream(path_ + suffix) << "mine";
  std::shared_ptr<StateFile> file = New();
  ASSERT_TRUE(file->Save("one").ok());
  ASSERT_TRUE(file->Remove().ok());
  file.reset();
  EXPECT_THAT(Names(), UnorderedElementsAre("state.lock", "state.new", "state.tmp", "state~"));
  for (const char* suffix : {".lock", ".new", ".tmp", "~"}) {
    std::ifstream in(path_ + suffix);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "mine") << suffix;
  }
}

TEST_F(StateFileTest, NewRefusesLinksAndFolders) {
  ASSERT_EQ(symlink("/nonexistent", path_.c_str()), 0);
  EXPECT_FALSE(StateFile::ForNew(path_).ok());
  EXPECT_FALSE(StateFile::ForNew(folder_ + "/").ok());
  EXPECT_FALSE(StateFile::ForNew(folder_ + "/missing/state").ok());
  EXPECT_FALSE(StateFile::ForNew("").ok());
  EXPECT_FALSE(StateFile::ForNew("..").ok());
}

TEST_F(StateFileTest, PlantedLinksAreNotFollowed) {
  const std::string victim = folder_ + "/victim";
  std::ofstream(victim) << "untouched";
  ASSERT_EQ(symlink(victim.c_str(), (path_ + ".wormhole-new").c_str()), 0);
  std::shared_ptr<StateFile> file = New();
  ASSERT_TRUE(file->Save("secret").ok());
  // Even one that takes the place of the file is replaced, not followed.
  std::filesystem::remove(path_);
  ASSERT_EQ(symlink(victim.c_str(), path_.c_str()), 0);
  ASSERT_TRUE(file->Save("secret").ok());
  std::ifstream in(victim);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "untouched");
  EXPECT_FALSE(std::filesystem::is_symlink(path_));
  file.reset();
  ASSERT_EQ(symlink(victim.c_str(), (path_ + ".wormhole-lock").c_str()), 0);
  EXPECT_THAT(ResumeRefused(), HasSubstr("lock file"));
}

TEST_F(StateFileTest, ResumeRefusesWhatIsNoPrivateFile) {
  EXPECT_THAT(ResumeRefused(), HasSubstr("No such file"));
  EXPECT_THAT(Names(), UnorderedElementsAre());
  for (mode_t mode : {0640, 0604, 0620}) {
    MakeFile("content", mode);
    EXPECT_THAT(ResumeRefused(), HasSubstr("chmod 600")) << mode;
  }
  std::filesystem::remove(path_);
  ASSERT_EQ(symlink("/etc/passwd", path_.c_str()), 0);
  EXPECT_THAT(ResumeRefused(), HasSubstr("symbolic link"));
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(ResumeRefused(), HasSubstr("no plain file"));
  std::filesystem::remove(path_);
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  EXPECT_THAT(ResumeRefused(), HasSubstr("no plain file"));
  std::filesystem::remove(path_);
  MakeFile("");
  ASSERT_EQ(truncate(path_.c_str(), 5 << 20), 0);
  EXPECT_THAT(ResumeRefused(), HasSubstr("too large"));
}

TEST_F(StateFileTest, NamesStayRightWhenTheWorkingFolderChanges) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  absl::StatusOr<std::shared_ptr<StateFile>> file = StateFile::ForNew("state");
  std::filesystem::current_path(before);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Save("here").ok());
  EXPECT_EQ(Content(), "here");
}

}  // namespace
}  // namespace wormhole::cli
