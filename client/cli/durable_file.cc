#include "client/cli/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/file_descriptor.h"

namespace wormhole::cli {
namespace {

absl::Status SystemError() { return absl::ErrnoToStatus(errno, strerror(errno)); }

absl::Status WriteAndSync(int fd, std::string_view content) {
  if (fchmod(fd, 0600) != 0) return SystemError();
  while (!content.empty()) {
    const ssize_t count = write(fd, content.data(), content.size());
    if (count < 0 && errno != EINTR) return SystemError();
    if (count > 0) content.remove_prefix(static_cast<size_t>(count));
  }
  return fsync(fd) == 0 ? absl::OkStatus() : SystemError();
}

absl::Status CheckPrivate(int fd, size_t limit) {
  struct stat info = {};
  if (fstat(fd, &info) != 0) return SystemError();
  if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError("it is no plain file");
  if (info.st_uid != geteuid()) {
    return absl::FailedPreconditionError("it belongs to another user");
  }
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        "other users may read or change it, and it is a secret; `chmod 600` it first");
  }
  if (static_cast<size_t>(info.st_size) > limit) {
    return absl::FailedPreconditionError("it is too large");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteTemporary(int folder, const std::string& name, std::string_view content) {
  if (unlinkat(folder, name.c_str(), 0) != 0 && errno != ENOENT) return SystemError();
  FileDescriptor fd(
      openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return SystemError();
  absl::Status written = WriteAndSync(fd.get(), content);
  if (!written.ok()) unlinkat(folder, name.c_str(), 0);
  return written;
}

absl::Status Rename(int folder, const std::string& temporary, const std::string& name) {
  return renameat(folder, temporary.c_str(), folder, name.c_str()) == 0 ? absl::OkStatus()
                                                                        : SystemError();
}

absl::Status RenameToNew(int folder, const std::string& temporary, const std::string& name) {
  if (renameat2(folder, temporary.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  if (errno != EINVAL && errno != ENOSYS) return SystemError();
  // This file system does not know the flag. link() refuses, too, when the name is taken.
  if (linkat(folder, temporary.c_str(), folder, name.c_str(), 0) != 0) return SystemError();
  unlinkat(folder, temporary.c_str(), 0);
  return absl::OkStatus();
}

absl::Status SyncFolder(int folder) {
  return fsync(folder) == 0 ? absl::OkStatus() : SystemError();
}

absl::Status RemoveDurably(int folder, const std::string& name) {
  if (unlinkat(folder, name.c_str(), 0) != 0) {
    return errno == ENOENT ? absl::OkStatus() : SystemError();
  }
  return SyncFolder(folder);
}

absl::StatusOr<SecretText> ReadPrivate(int folder, const std::string& name, size_t limit) {
  FileDescriptor fd(openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid() && errno == ELOOP) {
    return absl::FailedPreconditionError("it is a symbolic link; name the file itself");
  }
  if (!fd.valid()) return SystemError();
  if (absl::Status fits = CheckPrivate(fd.get(), limit); !fits.ok()) return fits;
  SecretText content(std::string(limit + 1, '\0'));
  size_t size = 0;
  while (size < content.size()) {
    const ssize_t count = read(fd.get(), content.data() + size, content.size() - size);
    if (count < 0 && errno != EINTR) return SystemError();
    if (count == 0) break;
    if (count > 0) size += static_cast<size_t>(count);
  }
  if (size > limit) return absl::FailedPreconditionError("it is too large");
  content.Shorten(size);
  return content;
}

}  // namespace wormhole::cli
