#include "relay/store/sqlite/cannot_create.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

std::string FolderOf(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path absolute = std::filesystem::absolute(path, ignored);
  return absolute.parent_path().string();
}

std::string WhatToDo(int error, const std::string& folder) {
  switch (error) {
    case EROFS:
      return absl::StrCat("mount a volume that user ", ::geteuid(), " may write to at ", folder,
                          ", or name another file with --store");
    case EACCES:
    case EPERM:
      return absl::StrCat("let user ", ::geteuid(), " write to the folder ", folder,
                          ", or name another file with --store");
    default:
      return absl::StrCat("the folder ", folder, " must exist and be writable");
  }
}

}  // namespace

absl::Status CannotCreate(int error, const std::string& what, const std::string& path) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot create ", what, " ", path, ": ",
                                                 WhatToDo(error, FolderOf(path))));
}

}  // namespace wormhole::relay
