#include "client/cli/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/durable_file.h"
#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

// Own data, the peer's and a few frames of at most 64 KiB, in base64, are far below.
constexpr size_t kMaxStateBytes = 4 << 20;

absl::Status BadFile(const std::string& path, std::string_view what) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                       absl::StrCat("state file ", path, ": ", std::string(what)));
}

absl::Status InUse(const std::string& path) {
  return core::Failure(Reason::kInUseElsewhere, absl::StatusCode::kAborted,
                       absl::StrCat("state file ", path,
                                    " is in use by another wormhole-sync; wait for it or end it"));
}

std::string LockName(const std::string& name) { return name + ".wormhole-lock"; }
std::string TemporaryName(const std::string& name) { return name + ".wormhole-new"; }

std::pair<std::string, std::string> FolderAndName(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

// Whether this user owns the lock file: another owner could take it away at any time.
bool IsOwn(int fd) {
  struct stat info = {};
  return fstat(fd, &info) == 0 && info.st_uid == geteuid();
}

// Whether the lock file that `fd` has locked is still the one of that name: the holder of a lock
// removes the file before it gives the lock back.
bool StillNamed(int folder, const std::string& name, int fd) {
  struct stat locked = {};
  struct stat named = {};
  return fstat(fd, &locked) == 0 &&
         fstatat(folder, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

absl::StatusOr<FileDescriptor> TakeLock(int folder, const std::string& name,
                                        const std::string& path) {
  while (true) {
    FileDescriptor fd(
        openat(folder, name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) {
      return BadFile(path, absl::StrCat("cannot make its lock file: ", strerror(errno)));
    }
    if (!IsOwn(fd.get())) {
      return BadFile(path, absl::StrCat("its lock file ", name,
                                        " belongs to another user; use a folder of your own"));
    }
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK) return InUse(path);
      return BadFile(path, absl::StrCat("cannot lock it: ", strerror(errno)));
    }
    if (StillNamed(folder, name, fd.get())) return fd;
  }
}

}  // namespace

StateFile::StateFile(std::string path, std::string name, FileDescriptor folder, FileDescriptor lock)
    : path_(std::move(path)),
      name_(std::move(name)),
      folder_(std::move(folder)),
      lock_(std::move(lock)) {}

StateFile::~StateFile() { Close(); }

void StateFile::Close() {
  sync::MutexLock lock(mutex_);
  if (!lock_.valid()) return;
  RemoveTemporary();
  // First the name, while nobody else can have the lock.
  unlinkat(folder_.get(), LockName(name_).c_str(), 0);
  lock_ = FileDescriptor();
}

// The holder of the lock may remove what a crash between writing and renaming left, which is as
// secret as the file itself.
void StateFile::RemoveTemporary() const {
  unlinkat(folder_.get(), TemporaryName(name_).c_str(), 0);
}

absl::StatusOr<std::shared_ptr<StateFile>> StateFile::Lock(const std::string& path) {
  const auto [folder_path, name] = FolderAndName(path);
  if (name.empty() || name == "." || name == "..") {
    return BadFile(path, "that is a folder; name a file");
  }
  FileDescriptor folder(open(folder_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) {
    return BadFile(path, absl::StrCat("cannot open its folder: ", strerror(errno)));
  }
  absl::StatusOr<FileDescriptor> lock = TakeLock(folder.get(), LockName(name), path);
  if (!lock.ok()) return lock.status();
  std::shared_ptr<StateFile> file(new StateFile(path, name, std::move(folder), *std::move(lock)));
  file->RemoveTemporary();
  return file;
}

absl::StatusOr<std::shared_ptr<StateFile>> StateFile::ForNew(const std::string& path) {
  absl::StatusOr<std::shared_ptr<StateFile>> file = Lock(path);
  if (!file.ok()) return file;
  struct stat info = {};
  if (fstatat((*file)->folder_.get(), (*file)->name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    return BadFile(path, "it exists; go on with it by `wormhole-sync resume`, or remove it");
  }
  return file;
}

absl::StatusOr<std::shared_ptr<StateFile>> StateFile::ForResume(const std::string& path) {
  // Before the lock, so that a mistyped name leaves no lock file behind, not even for a moment.
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    return BadFile(path, absl::StrCat(strerror(errno), "; name the one given to --state"));
  }
  absl::StatusOr<std::shared_ptr<StateFile>> file = Lock(path);
  if (!file.ok()) return file;
  if (absl::StatusOr<SecretText> content = (*file)->Load(); !content.ok()) {
    return content.status();
  }
  sync::MutexLock lock((*file)->mutex_);
  (*file)->exists_ = true;
  return file;
}

bool StateFile::exists() const {
  sync::MutexLock lock(mutex_);
  return exists_;
}

absl::StatusOr<SecretText> StateFile::Load() const {
  sync::MutexLock lock(mutex_);
  absl::StatusOr<SecretText> content = ReadPrivate(folder_.get(), name_, kMaxStateBytes);
  if (!content.ok()) return BadFile(path_, std::string(content.status().message()));
  return content;
}

absl::Status StateFile::Save(std::string_view content) {
  sync::MutexLock lock(mutex_);
  if (removed_) return absl::OkStatus();
  if (!lock_.valid()) return absl::FailedPreconditionError("the state file is given back");
  const std::string temporary = TemporaryName(name_);
  absl::Status status = WriteTemporary(folder_.get(), temporary, content);
  if (status.ok()) {
    status = exists_ ? Rename(folder_.get(), temporary, name_)
                     : RenameToNew(folder_.get(), temporary, name_);
    if (!status.ok()) RemoveTemporary();
  }
  if (status.ok()) {
    exists_ = true;  // also when the next step fails
    status = SyncFolder(folder_.get());
  }
  if (status.ok()) return status;
  if (absl::IsAlreadyExists(status)) {
    return BadFile(path_, "somebody else has made it meanwhile; name another file");
  }
  return absl::Status(status.code(),
                      absl::StrCat("cannot write the state file ", path_, ": ", status.message()));
}

absl::Status StateFile::Remove() {
  sync::MutexLock lock(mutex_);
  removed_ = true;
  exists_ = false;
  RemoveTemporary();
  absl::Status status = RemoveDurably(folder_.get(), name_);
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat("cannot remove the state file ", path_, ": ", status.message()));
}

}  // namespace wormhole::cli
