// A folder of its own for tests of StateFile.
#ifndef WORMHOLE_CLIENT_CLI_TESTING_STATE_FILE_FIXTURE_H_
#define WORMHOLE_CLIENT_CLI_TESTING_STATE_FILE_FIXTURE_H_

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/state_file.h"
#include "gtest/gtest.h"
#include "tests/support/temp_folder.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {

class StateFileTest : public ::testing::Test {
 protected:
  std::shared_ptr<StateFile> New() {
    absl::StatusOr<std::shared_ptr<StateFile>> file = StateFile::ForNew(path_);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *file : nullptr;
  }

  // A finished write of another process.
  void MakeFile(const std::string& content, mode_t mode = 0600) {
    std::ofstream(path_) << content;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }

  std::string Content() {
    std::ifstream in(path_);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  std::string ResumeRefused() {
    absl::StatusOr<std::shared_ptr<StateFile>> file = StateFile::ForResume(path_);
    if (file.ok()) return "(accepted)";
    EXPECT_EQ(ReasonOf(file.status()), Reason::kInvalidArgument);
    return std::string(file.status().message());
  }

  const testing::TempFolder temp_;
  const std::string folder_ = temp_.path();
  const std::string path_ = temp_.File("state");
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_TESTING_STATE_FILE_FIXTURE_H_
