#include "relay/store/sqlite/file_watch.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "relay/store/status_macros.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

absl::Status Gone(const std::string& path, std::string_view what) {
  return StoreAway(absl::StrCat(
      path, " was ", absl::string_view(what.data(), what.size()),
      " beneath the running relay, which stores nothing more, since it would be lost: put back "
      "the file that was there, or restart the relay to go on with what is there now"));
}

// stat() of `path`. STORE_AWAY unless that is the file with this device and inode.
absl::StatusOr<struct stat> StatWatched(const std::string& path, dev_t device, ino_t inode) {
  struct stat now = {};
  if (::stat(path.c_str(), &now) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Gone(path, "removed");
    return StoreAway(absl::StrCat("cannot look at ", path, ": ", std::strerror(errno)));
  }
  if (now.st_dev != device || now.st_ino != inode) return Gone(path, "replaced");
  return now;
}

}  // namespace

absl::StatusOr<FileWatch> FileWatch::Of(const std::vector<File>& files) {
  FileWatch watch;
  for (const File& file : files) {
    struct stat now = {};
    if (::stat(file.path.c_str(), &now) != 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot look at ", file.path));
    }
    watch.files_.push_back({.path = file.path,
                            .grows = file.grows,
                            .device = now.st_dev,
                            .inode = now.st_ino,
                            .size = now.st_size});
  }
  return watch;
}

absl::Status FileWatch::Check() {
  RETURN_IF_ERROR(cut_);
  for (const Watched& file : files_) {
    ASSIGN_OR_RETURN(const struct stat now, StatWatched(file.path, file.device, file.inode));
    if (!file.grows || now.st_size >= file.size) continue;
    cut_ = StoreAway(absl::StrCat(
        file.path, " was cut from ", file.size, " to ", now.st_size,
        " bytes beneath the running relay, which stores nothing more: restore a backup, or "
        "restart the relay to go on with what is left"));
    return cut_;
  }
  return absl::OkStatus();
}

void FileWatch::ForgetSizes() {
  for (Watched& file : files_) file.size = 0;
}

absl::Status FileWatch::NoteSizes() {
  for (Watched& file : files_) {
    ASSIGN_OR_RETURN(const struct stat now, StatWatched(file.path, file.device, file.inode));
    file.size = now.st_size;
  }
  return absl::OkStatus();
}

}  // namespace wormhole::relay
