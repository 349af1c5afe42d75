// Whether the files that a store has open are still those under their names, with all that was
// written to them. A file that is removed or replaced stays open and takes what is written: all of
// that is gone when the process ends.
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
    // Whether it is only cut by its owner, between Check and NoteSizes. False: its size says
    // nothing.
    bool grows = false;
  };

  // Nothing is watched.
  FileWatch() = default;

  // The files as they are now. NOT_FOUND and so on when one is not there.
  static absl::StatusOr<FileWatch> Of(const std::vector<File>& files);

  // Before the owner writes. STORE_AWAY when a file is not the one under its name: for as long as
  // that is so, since it may be put back. STORE_AWAY for good when one is shorter than it was at
  // the last NoteSizes: what is missing does not come back.
  absl::Status Check();

  // Between Check and what the owner writes: sizes are unknown until the next NoteSizes. Without
  // this a log that its owner has cut would pass for one that was cut beneath it, for good, should
  // the look at it fail once.
  void ForgetSizes();

  // After the owner has written, or tried, before it tells anybody: takes the sizes that Check
  // goes by.
  // STORE_AWAY when what was written did not go into the files under these names.
  absl::Status NoteSizes();

 private:
  struct Watched {
    std::string path;
    bool grows = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;  // that it has at least
  };

  std::vector<Watched> files_;
  absl::Status cut_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_FILE_WATCH_H_
