#include "tests/faults/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/faults/own_namespace.h"

namespace wormhole::faults {
SmallDisk::SmallDisk(std::string path, int megabytes) : path_(std::move(path)) {
  std::filesystem::create_directories(path_);
  const std::string size = absl::StrCat("size=", megabytes, "m");
  if (!EnterOwnNamespace(CLONE_NEWNS) ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", path_.c_str(), "tmpfs", 0, size.c_str()) != 0) {
    why_not_ = absl::StrCat("no file system of one's own on this machine: ", strerror(errno));
  }
}

SmallDisk::~SmallDisk() {
  if (why_not_.empty()) umount2(path_.c_str(), MNT_DETACH);
}

void SmallDisk::Fill() {
  const std::string page(4096, 'x');
  const int file = open((path_ + "/filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  while (write(file, page.data(), page.size()) > 0) {
  }
  close(file);
}

void SmallDisk::Free() { std::filesystem::remove(path_ + "/filler"); }

}  // namespace wormhole::faults
