// A disk in memory that loses, at a power failure, what was not synced: all of it, a prefix, or
// any part of it, down to single sectors of one write. Knows nothing of SQLite.
//
// Thread-safe.
#ifndef WORMHOLE_TESTS_STORE_CRASH_DISK_H_
#define WORMHOLE_TESTS_STORE_CRASH_DISK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "proto/sync/mutex.h"

namespace wormhole::relay {

class CrashDisk {
 public:
  static constexpr size_t kSectorBytes = 512;

  // What a call came to.
  enum class Result { kOk, kNoPower, kFull, kBroken };

  // A disk that lies says that it has synced and has not.
  explicit CrashDisk(bool lies_about_sync = false) : lies_(lies_about_sync) {}

  // The power goes before the `changes`-th change (write, truncation, sync, removal) from now: 1
  // is the next one.
  void LosePowerAfter(int64_t changes);

  // Ends a power failure. What was not synced is kept or lost as `random` has it.
  void RestorePower(std::mt19937_64& random);

  // From now on every change comes to this result; kOk ends it.
  void Fail(Result result);

  // The same for syncs alone.
  void FailSyncs(Result result);

  // The number of changes so far.
  int64_t changes() const;

  // Files, by name. A file that is opened is created if need be.
  Result Open(const std::string& name);
  Result Write(const std::string& name, size_t offset, std::string_view bytes);
  Result Truncate(const std::string& name, size_t size);
  Result Sync(const std::string& name);
  Result Remove(const std::string& name);
  // The bytes at `offset`, fewer at the end of the file; nothing without power.
  std::optional<std::string> Read(const std::string& name, size_t offset, size_t size) const;
  std::optional<size_t> Size(const std::string& name) const;  // nothing: no such file

 private:
  // A change that is not on the disk yet: a write, or a truncation to `offset`.
  struct Change {
    bool truncates = false;
    size_t offset = 0;
    std::string bytes;
  };
  struct File {
    std::string current;          // what reads see
    std::string durable;          // what is on the disk for certain
    std::vector<Change> pending;  // what leads from one to the other
    bool durable_name = false;    // the folder knows it for certain
  };

  Result Step() WORMHOLE_REQUIRES(mutex_);
  void Crash(File& file, std::mt19937_64& random) WORMHOLE_REQUIRES(mutex_);
  static void Apply(const Change& change, std::string& content);
  static void ApplyTorn(const Change& change, std::mt19937_64& random, std::string& content);

  const bool lies_;
  mutable sync::Mutex mutex_;
  std::map<std::string, File> files_ WORMHOLE_GUARDED_BY(mutex_);
  // Removed files that a power failure may bring back.
  std::map<std::string, File> removed_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<int64_t> changes_left_ WORMHOLE_GUARDED_BY(mutex_);
  int64_t changes_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  Result failure_ WORMHOLE_GUARDED_BY(mutex_) = Result::kOk;
  Result sync_failure_ WORMHOLE_GUARDED_BY(mutex_) = Result::kOk;
  bool powered_ WORMHOLE_GUARDED_BY(mutex_) = true;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_CRASH_DISK_H_
