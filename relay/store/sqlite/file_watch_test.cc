#include "relay/store/sqlite/file_watch.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    std::ofstream(log_) << std::string(100, 'x');
    auto watch = FileWatch::Of({{.path = log_, .grows = true}});
    EXPECT_TRUE(watch.ok()) << watch.status();
    watch_ = *std::move(watch);
  }

  testing::TempFolder folder_;
  const std::string log_ = folder_.File("log");
  const std::string aside_ = folder_.File("aside");
  FileWatch watch_;
};

TEST_F(FileWatchTest, WhatItsOwnerCutsIsNotCutBeneathIt) {
  watch_.ForgetSizes();
  fs::resize_file(log_, 50);
  EXPECT_TRUE(watch_.NoteSizes().ok());
  EXPECT_TRUE(watch_.Check().ok());
  fs::resize_file(log_, 49);
  EXPECT_THAT(std::string(watch_.Check().message()), HasSubstr("was cut from 50 to 49"));
}

// Otherwise Check would say for good that somebody else has cut the log.
TEST_F(FileWatchTest, NorIsItWhenStatFails) {
  watch_.ForgetSizes();
  fs::resize_file(log_, 50);
  fs::rename(log_, aside_);
  EXPECT_THAT(std::string(watch_.NoteSizes().message()), HasSubstr("was removed"));
  fs::rename(aside_, log_);
  EXPECT_TRUE(watch_.Check().ok()) << watch_.Check();
  EXPECT_TRUE(watch_.NoteSizes().ok());
  fs::resize_file(log_, 49);
  EXPECT_FALSE(watch_.Check().ok());
}

TEST_F(FileWatchTest, OfWhatIsOnlyReadTheSizesStay) {
  EXPECT_TRUE(watch_.Check().ok());
  fs::resize_file(log_, 99);
  EXPECT_FALSE(watch_.Check().ok());
}

}  // namespace
}  // namespace wormhole::relay
