// Keeps a second relay off the same file. The lock is the kernel's: it is gone with the process
// that holds it, however that ends. Other programs may still read the file (online backup).
#ifndef WORMHOLE_RELAY_STORE_SQLITE_LOCK_FILE_H_
#define WORMHOLE_RELAY_STORE_SQLITE_LOCK_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace wormhole::relay {

class LockFile {
 public:
  // Creates `path` if need be (mode 0600) and locks it. The file stays when the lock goes.
  // FAILED_PRECONDITION when another process, or another LockFile of this one, holds the lock;
  // PERMISSION_DENIED, NOT_FOUND and so on when the file cannot be opened. The message says what
  // to do, and is one line.
  static absl::StatusOr<std::unique_ptr<LockFile>> Acquire(const std::string& path);

  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}

  const int descriptor_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_LOCK_FILE_H_
