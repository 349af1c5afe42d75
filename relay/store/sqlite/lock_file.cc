#include "relay/store/sqlite/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "relay/store/sqlite/cannot_create.h"

namespace wormhole::relay {
namespace {

// The process id that the holder wrote, for people: " (process 123)".
std::string Holder(int descriptor) {
  char text[16] = {};
  const ssize_t size = ::pread(descriptor, text, sizeof(text) - 1, 0);
  int process = 0;
  if (size <= 0 || !absl::SimpleAtoi(text, &process)) return "";
  return absl::StrCat(" (process ", process, ")");
}

void WriteHolder(int descriptor) {
  char text[16];
  const int size = std::snprintf(text, sizeof(text), "%d\n", static_cast<int>(::getpid()));
  // Only a hint for people: the lock holds without it.
  if (::ftruncate(descriptor, 0) != 0) return;
  if (::pwrite(descriptor, text, static_cast<size_t>(size), 0) != size) return;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LockFile>> LockFile::Acquire(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return CannotCreate(errno, "the lock file", path);
  }
  auto file = absl::WrapUnique(new LockFile(descriptor));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return absl::ErrnoToStatus(
          errno, absl::StrCat("cannot lock ", path, ": use a file system that has locks"));
    }
    return absl::FailedPreconditionError(
        absl::StrCat("another relay", Holder(descriptor), " holds ", path,
                     ": stop it, or give this relay a file of its own"));
  }
  WriteHolder(descriptor);
  return file;
}

LockFile::~LockFile() { ::close(descriptor_); }

}  // namespace wormhole::relay
