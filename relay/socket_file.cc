#include "relay/socket_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

constexpr mode_t kMode = 0660;

absl::Status Refuse(const std::string& path, std::string_view why, std::string_view next) {
  return absl::UnavailableError(absl::StrCat("cannot listen on unix:", path, ": ", std::string(why),
                                             "; ", std::string(next)));
}

absl::Status RefuseForError(const std::string& path, int error) {
  return Refuse(path, std::generic_category().message(error),
                "give a path in a folder where this user may write");
}

// errno of the attempt to connect, or 0.
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

absl::Status RemoveStale(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : RefuseForError(path, errno);
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Refuse(path, "there is a file that is no socket", "remove it, or give another path");
  }
  const int error = TryConnect(path);
  if (error != ECONNREFUSED) {
    // EAGAIN is a listener whose queue is full; EACCES one that cannot be known.
    return Refuse(path,
                  error == EACCES ? "there is another user's socket" : "another process listens",
                  "stop it, or give another path");
  }
  return unlink(path.c_str()) == 0 ? absl::OkStatus() : RefuseForError(path, errno);
}

}  // namespace

std::string SocketPath(std::string_view listen) {
  constexpr std::string_view kScheme = "unix:";
  if (!listen.starts_with(kScheme)) return "";
  listen.remove_prefix(kScheme.size());
  if (listen.starts_with("///")) listen.remove_prefix(2);
  return std::string(listen);
}

absl::StatusOr<std::unique_ptr<SocketPlace>> SocketPlace::Make(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return RefuseForError(path, errno);
  std::unique_ptr<SocketPlace> place(new SocketPlace(path, fd));
  while (flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return RefuseForError(path, errno);
  }
  if (absl::Status removed = RemoveStale(path); !removed.ok()) return removed;
  return place;
}

SocketPlace::SocketPlace(std::string path, int folder) : path_(std::move(path)), folder_(folder) {}

SocketPlace::~SocketPlace() { close(folder_); }

absl::Status SocketPlace::Restrict() const {
  return chmod(path_.c_str(), kMode) == 0 ? absl::OkStatus() : RefuseForError(path_, errno);
}

}  // namespace wormhole::relay
