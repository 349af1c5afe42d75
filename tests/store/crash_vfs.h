// A CrashDisk as an SQLite VFS. One connection at a time: file locks are not kept.
#ifndef WORMHOLE_TESTS_STORE_CRASH_VFS_H_
#define WORMHOLE_TESTS_STORE_CRASH_VFS_H_

#include <memory>
#include <string>

#include "tests/store/crash_disk.h"

namespace wormhole::relay {

class CrashVfs {
 public:
  // Registers `disk`, which outlives this object, under a name of its own.
  explicit CrashVfs(CrashDisk* disk);

  // Everything that was opened through it must be closed.
  ~CrashVfs();
  CrashVfs(const CrashVfs&) = delete;
  CrashVfs& operator=(const CrashVfs&) = delete;

  // For sqlite3_open_v2 and SqliteOptions::vfs.
  const std::string& name() const { return name_; }

 private:
  struct Registration;

  const std::string name_;
  const std::unique_ptr<Registration> registration_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_CRASH_VFS_H_
