#include "tests/support/temp_folder.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace wormhole::testing {
namespace {

namespace fs = std::filesystem;

std::string Parent() {
  const char* const folder = std::getenv("TEST_TMPDIR");
  return folder == nullptr ? fs::temp_directory_path().string() : folder;
}

}  // namespace

TempFolder::TempFolder() : TempFolder(Parent()) {}

TempFolder::TempFolder(const std::string& parent) {
  std::error_code error;
  path_ = fs::canonical(parent, error).string() + "/wormhole.XXXXXX";
  if (!error && ::mkdtemp(path_.data()) != nullptr) return;
  if (!error) error = std::error_code(errno, std::generic_category());
  std::fprintf(stderr, "no folder can be made in %s: %s\n", parent.c_str(),
               error.message().c_str());
  std::exit(EXIT_FAILURE);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace wormhole::testing
