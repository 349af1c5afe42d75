#include "tests/support/temp_folder.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "gtest/gtest.h"

namespace wormhole::relay {

TempFolder::TempFolder() : TempFolder(::testing::TempDir()) {}

TempFolder::TempFolder(const std::string& parent)
    : path_(std::filesystem::canonical(parent).string() + "/storeXXXXXX") {
  if (::mkdtemp(path_.data()) != nullptr) return;
  std::perror(path_.c_str());
  std::abort();
}

TempFolder::~TempFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace wormhole::relay
