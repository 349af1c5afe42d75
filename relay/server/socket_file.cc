#include "relay/server/socket_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "relay/config/socket_address.h"

namespace wormhole::relay {
namespace {

constexpr mode_t kMode = 0660;
constexpr int kMillisecondsBetweenTries = 20;

absl::Status Refuse(const std::string& path, std::string_view why, std::string_view next) {
  return absl::UnavailableError(absl::StrCat("cannot listen on unix:", path, ": ", std::string(why),
                                             "; ", std::string(next)));
}

absl::Status RefuseForError(const std::string& path, int error) {
  return Refuse(path, std::generic_category().message(error),
                "give a path in a folder where this user may write");
}

// The errno of an attempt to connect, or 0.
int TryConnect(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int error =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
  close(fd);
  return error;
}

// None that is there already: another process's would be in use.
std::string DrawBindName() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::random_device random;
  std::string name = ".r";
  while (name.size() < kBindNameSize) name += kLetters[random() % kLetters.size()];
  return name;
}

size_t FolderSize(std::string_view path) { return path.rfind('/') + 1; }  // 0 without a slash

}  // namespace

absl::StatusOr<std::unique_ptr<SocketPlace>> SocketPlace::Make(const std::string& path,
                                                               absl::Duration patience) {
  const std::string folder = path.substr(0, FolderSize(path));
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return RefuseForError(path, errno);
  std::unique_ptr<SocketPlace> place(new SocketPlace(path, fd));
  if (absl::Status locked = place->Lock(patience); !locked.ok()) return locked;
  if (absl::Status free = place->CheckFree(); !free.ok()) return free;
  return place;
}

SocketPlace::SocketPlace(const std::string& path, int folder)
    : path_(path),
      folder_name_(path.substr(0, FolderSize(path))),
      name_(path.substr(FolderSize(path))),
      bind_name_(DrawBindName()),
      folder_(folder) {}

SocketPlace::~SocketPlace() {
  Leave();
  close(folder_);
}

absl::Status SocketPlace::Lock(absl::Duration patience) {
  const auto begun = std::chrono::steady_clock::now();
  while (flock(folder_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return RefuseForError(path_, errno);
    if (absl::FromChrono(std::chrono::steady_clock::now() - begun) >= patience) {
      return Refuse(path_, "another process holds the lock of its folder",
                    "stop it (fuser names it), or give a path in a folder that only the relay's "
                    "user may open");
    }
    poll(nullptr, 0, kMillisecondsBetweenTries);  // no event says that a lock is free
  }
  return absl::OkStatus();
}

absl::Status SocketPlace::CheckFree() const {
  struct stat info = {};
  if (lstat(path_.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : RefuseForError(path_, errno);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Refuse(path_, "there is a file that is no socket", "remove it, or give another path");
  }
  const int error = TryConnect(path_);
  // ENOENT: its owner has just removed it.
  if (error == ECONNREFUSED || error == ENOENT) return absl::OkStatus();
  // EAGAIN is a listener whose queue is full; EACCES one that cannot be known.
  return Refuse(path_,
                error == EACCES ? "there is another user's socket" : "another process listens",
                "stop it, or give another path");
}

absl::Status SocketPlace::Publish() {
  struct stat info = {};
  if (fchmodat(folder_, bind_name_.c_str(), kMode, 0) != 0 ||
      fstatat(folder_, bind_name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      renameat(folder_, bind_name_.c_str(), folder_, name_.c_str()) != 0) {
    return RefuseForError(path_, errno);
  }
  published_.emplace(info.st_dev, info.st_ino);
  flock(folder_, LOCK_UN);
  return absl::OkStatus();
}

void SocketPlace::Leave() {
  struct stat info = {};
  const auto published = std::exchange(published_, std::nullopt);
  if (!published.has_value() || flock(folder_, LOCK_EX | LOCK_NB) != 0) return;
  if (fstatat(folder_, name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
      std::pair(info.st_dev, info.st_ino) == *published) {
    unlinkat(folder_, name_.c_str(), 0);
  }
  flock(folder_, LOCK_UN);
}

}  // namespace wormhole::relay
