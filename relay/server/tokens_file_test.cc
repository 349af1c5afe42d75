#include "relay/server/tokens_file.h"

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class TokensFileTest : public ::testing::Test {
 protected:
  static std::string LineOf(std::string_view token) {
    return TokenList::Write(HashToken(token), "allocate,claim", "*").value() + "\n";
  }

  static void Write(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }

  void Open() {
    absl::StatusOr<std::unique_ptr<TokensFile>> file =
        TokensFile::Open(path_, [this](const absl::StatusOr<size_t>& grants) {
          told_.push_back(grants.ok() ? std::to_string(*grants)
                                      : std::string(grants.status().message()));
        });
    ASSERT_TRUE(file.ok()) << file.status();
    file_ = *std::move(file);
    EXPECT_EQ(Told().size(), 1u);
  }

  std::string Refusal() {
    const auto file = TokensFile::Open(path_, nullptr);
    EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(file.status().message());
  }

  bool Takes(std::string_view token) const {
    return file_->Judge(HashToken(token), TokenUse::kClaim, "a") == TokenVerdict::kGranted;
  }

  std::vector<std::string> Told() { return std::exchange(told_, {}); }

  testing::TempFolder folder_;
  std::string path_ = folder_.File("tokens");
  std::unique_ptr<TokensFile> file_;
  std::vector<std::string> told_;
};

TEST_F(TokensFileTest, NewContentTakesEffectWhenItStays) {
  Write(path_, LineOf("one"));
  Open();
  EXPECT_TRUE(Takes("one"));
  file_->Poll();
  EXPECT_THAT(Told(), IsEmpty());
  Write(path_, LineOf("two") + LineOf("three"));
  file_->Poll();
  EXPECT_TRUE(Takes("one"));
  file_->Poll();
  EXPECT_FALSE(Takes("one"));
  EXPECT_TRUE(Takes("two"));
  EXPECT_THAT(Told(), ElementsAre("2"));
  file_->Poll();
  EXPECT_THAT(Told(), IsEmpty());
}

// An editor has written the first line and not the second.
TEST_F(TokensFileTest, HalfOfAFileTakesNoEffect) {
  Write(path_, LineOf("one") + LineOf("two"));
  Open();
  Write(path_, LineOf("one"));
  file_->Poll();
  Write(path_, LineOf("one") + LineOf("two") + LineOf("three"));
  file_->Poll();
  EXPECT_TRUE(Takes("two"));
  file_->Poll();
  EXPECT_TRUE(Takes("three"));
  EXPECT_THAT(Told(), ElementsAre("3"));
}

TEST_F(TokensFileTest, ABrokenFileKeepsTheOldAndSaysSoOnce) {
  Write(path_, LineOf("one"));
  Open();
  Write(path_, LineOf("two") + "nonsense\n");
  for (int i = 0; i < 4; ++i) file_->Poll();
  EXPECT_THAT(Told(), ElementsAre(StartsWith("--tokens-file=" + path_ + ":2: ")));
  EXPECT_TRUE(Takes("one"));
  EXPECT_FALSE(Takes("two"));
  Write(path_, "");
  for (int i = 0; i < 4; ++i) file_->Poll();
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("nobody could")));
  std::filesystem::remove(path_);
  for (int i = 0; i < 4; ++i) file_->Poll();
  EXPECT_THAT(Told(), ElementsAre(HasSubstr("cannot be read: No such file")));
  EXPECT_TRUE(Takes("one"));
  Write(path_, LineOf("one"));  // as it was: that it is sound again is told
  for (int i = 0; i < 4; ++i) file_->Poll();
  EXPECT_THAT(Told(), ElementsAre("1"));
}

// A mounted Secret: its files are links through ..data, which is replaced by a rename.
TEST_F(TokensFileTest, AsKubernetesRenewsASecret) {
  namespace fs = std::filesystem;
  fs::create_directory(folder_.File("..1"));
  fs::create_directory(folder_.File("..2"));
  Write(folder_.File("..1/tokens"), LineOf("one"));
  Write(folder_.File("..2/tokens"), LineOf("two"));
  fs::create_directory_symlink("..1", folder_.File("..data"));
  fs::create_symlink("..data/tokens", path_);
  Open();
  EXPECT_TRUE(Takes("one"));
  fs::create_directory_symlink("..2", folder_.File("..data_tmp"));
  fs::rename(folder_.File("..data_tmp"), folder_.File("..data"));
  fs::remove_all(folder_.File("..1"));
  file_->Poll();
  file_->Poll();
  EXPECT_TRUE(Takes("two"));
  EXPECT_FALSE(Takes("one"));
}

TEST_F(TokensFileTest, WhatCannotBeUsedIsNamed) {
  const std::string name = "--tokens-file=" + path_;
  EXPECT_EQ(Refusal(), name + ": cannot be read: No such file or directory");
  Write(path_, LineOf("one") + "\nsha256:00 claim *\n");
  EXPECT_THAT(Refusal(), StartsWith(name + ":3: a line begins with"));
  Write(path_, "# nothing yet\n");
  EXPECT_THAT(Refusal(), StartsWith(name + ": has no line with a token"));
  Write(path_, std::string(TokenList::kMaxBytes + 1, '\n'));
  EXPECT_THAT(Refusal(), StartsWith(name + ": has more than"));
  Write(path_, LineOf("one"));
  ASSERT_EQ(chmod(path_.c_str(), 0646), 0);
  EXPECT_THAT(Refusal(), StartsWith(name + ": everybody may write to it"));
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(Refusal(), name + ": is no regular file");
  path_ = folder_.path();
  EXPECT_EQ(Refusal(), "--tokens-file=" + path_ + ": is no regular file");
}

// Streams are judged on gRPC's threads while another thread looks.
TEST_F(TokensFileTest, IsJudgedWhileItIsReadAgain) {
  Write(path_, LineOf("always") + LineOf("0"));
  Open();
  std::atomic<bool> over = false;
  std::thread judge([&] {
    while (!over) EXPECT_TRUE(Takes("always"));
  });
  for (int i = 1; i <= 50; ++i) {
    Write(path_, LineOf("always") + LineOf(std::to_string(i)));
    file_->Poll();
    file_->Poll();
    EXPECT_TRUE(Takes(std::to_string(i)));
  }
  over = true;
  judge.join();
}

// Kubernetes mounts Secrets so.
TEST_F(TokensFileTest, OthersMayReadIt) {
  Write(path_, LineOf("one"));
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  Open();
  EXPECT_TRUE(Takes("one"));
}

}  // namespace
}  // namespace wormhole::relay
