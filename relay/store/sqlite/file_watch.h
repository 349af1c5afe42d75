// Whether the files that a store has open are still those under their names, with all that was
// written to them. A file that somebody removes or replaces stays open and takes what the store
// writes: all of that is lost when the process ends.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_FILE_WATCH_H_
#define WORMHOLE_RELAY_STORE_SQLITE_FILE_WATCH_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wormhole::relay {

// Not thread-safe. Costs one stat(2) per file and call.
class FileWatch {
 public:
  struct File {
    std::string path;
    // Only its owner cuts it, and only between Check and NoteSizes. False: its size says nothing.
    bool grows = false;
  };

  // Nothing is watched.
  FileWatch() = default;

  // The files as they are now. NOT_FOUND and so on when one is not there.
  static absl::StatusOr<FileWatch> Of(const std::vector<File>& files);

  // Call it before the owner writes. STORE_AWAY while a file is not the one under its name:
  // somebody may put the file back. STORE_AWAY for good when a file is shorter than it was at the
  // last NoteSizes: what is missing does not come back.
  absl::Status Check();

  // Call it between Check and what the owner writes: sizes are unknown until the next NoteSizes.
  // Without it, a NoteSizes that fails after the owner has cut its log would leave the old size,
  // and Check would then say for good that somebody else has cut the log.
  void ForgetSizes();

  // Call it after the owner has written, or tried to, and before it tells anybody. Takes the sizes
  // that Check compares with.
  // STORE_AWAY when what was written did not go into the files under these names.
  absl::Status NoteSizes();

 private:
  struct Watched {
    std::string path;
    bool grows = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;  // the least that Check accepts
  };

  std::vector<Watched> files_;
  absl::Status cut_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_FILE_WATCH_H_
