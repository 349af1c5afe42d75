#include "tests/store/crash_disk.h"

#include <algorithm>
#include <utility>

namespace wormhole::relay {
namespace {

uint64_t Below(std::mt19937_64& random, uint64_t bound) { return random() % bound; }

}  // namespace

void CrashDisk::LosePowerAfter(int64_t changes) {
  sync::MutexLock lock(mutex_);
  changes_left_ = changes;
}

void CrashDisk::RestorePower(std::mt19937_64& random) {
  sync::MutexLock lock(mutex_);
  powered_ = true;
  changes_left_.reset();
  failure_ = Result::kOk;
  sync_failure_ = Result::kOk;
  for (auto entry = files_.begin(); entry != files_.end();) {
    const bool lost = !entry->second.durable_name && Below(random, 2) == 0;
    entry = lost ? files_.erase(entry) : std::next(entry);
  }
  for (auto& [name, file] : std::exchange(removed_, {})) {
    if (files_.count(name) == 0 && Below(random, 2) == 0) files_[name] = std::move(file);
  }
  for (auto& [name, file] : files_) Crash(file, random);
}

// How the unsynced changes of one file come out: none, all, a prefix with its last write torn, or
// any subset with every write torn.
void CrashDisk::Crash(File& file, std::mt19937_64& random) {
  const uint64_t manner = Below(random, 4);
  size_t kept = 0;
  if (manner == 1) kept = file.pending.size();
  if (manner == 2) kept = Below(random, file.pending.size() + 1);
  for (size_t i = 0; i < kept; ++i) Apply(file.pending[i], file.durable);
  if (manner == 2 && kept < file.pending.size()) {
    ApplyTorn(file.pending[kept], random, file.durable);
  }
  if (manner == 3) {
    for (const Change& change : file.pending) {
      if (Below(random, 2) == 0) ApplyTorn(change, random, file.durable);
    }
  }
  file.pending.clear();
  file.current = file.durable;
}

void CrashDisk::Apply(const Change& change, std::string& content) {
  if (change.truncates) return content.resize(change.offset);
  const size_t end = change.offset + change.bytes.size();
  if (content.size() < end) content.resize(end);
  std::copy(change.bytes.begin(), change.bytes.end(),
            content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void CrashDisk::ApplyTorn(const Change& change, std::mt19937_64& random, std::string& content) {
  if (change.truncates) return Apply(change, content);
  for (size_t begin = 0; begin < change.bytes.size();) {
    const size_t sector_left = kSectorBytes - (change.offset + begin) % kSectorBytes;
    const size_t size = std::min(sector_left, change.bytes.size() - begin);
    if (Below(random, 2) == 0) {
      Apply({.offset = change.offset + begin, .bytes = change.bytes.substr(begin, size)}, content);
    }
    begin += size;
  }
}

void CrashDisk::Fail(Result result) {
  sync::MutexLock lock(mutex_);
  failure_ = result;
}

void CrashDisk::FailSyncs(Result result) {
  sync::MutexLock lock(mutex_);
  sync_failure_ = result;
}

int64_t CrashDisk::changes() const {
  sync::MutexLock lock(mutex_);
  return changes_;
}

CrashDisk::Result CrashDisk::Step() {
  if (changes_left_.has_value() && --*changes_left_ <= 0) powered_ = false;
  if (!powered_) return Result::kNoPower;
  ++changes_;
  return failure_;
}

CrashDisk::Result CrashDisk::Open(const std::string& name) {
  sync::MutexLock lock(mutex_);
  if (!powered_) return Result::kNoPower;
  files_.try_emplace(name);
  return Result::kOk;
}

CrashDisk::Result CrashDisk::Write(const std::string& name, size_t offset, std::string_view bytes) {
  sync::MutexLock lock(mutex_);
  if (const Result result = Step(); result != Result::kOk) return result;
  File& file = files_[name];
  file.pending.push_back({.offset = offset, .bytes = std::string(bytes)});
  Apply(file.pending.back(), file.current);
  return Result::kOk;
}

CrashDisk::Result CrashDisk::Truncate(const std::string& name, size_t size) {
  sync::MutexLock lock(mutex_);
  if (const Result result = Step(); result != Result::kOk) return result;
  File& file = files_[name];
  file.pending.push_back({.truncates = true, .offset = size, .bytes = ""});
  Apply(file.pending.back(), file.current);
  return Result::kOk;
}

CrashDisk::Result CrashDisk::Sync(const std::string& name) {
  sync::MutexLock lock(mutex_);
  if (const Result result = Step(); result != Result::kOk) return result;
  if (sync_failure_ != Result::kOk) return sync_failure_;
  if (lies_) return Result::kOk;
  File& file = files_[name];
  for (const Change& change : file.pending) Apply(change, file.durable);
  file.pending.clear();
  if (file.durable_name) return Result::kOk;
  // The first sync of a new file syncs the folder, as a whole.
  for (auto& [other, in_folder] : files_) in_folder.durable_name = true;
  removed_.clear();
  return Result::kOk;
}

CrashDisk::Result CrashDisk::Remove(const std::string& name) {
  sync::MutexLock lock(mutex_);
  if (const Result result = Step(); result != Result::kOk) return result;
  const auto found = files_.find(name);
  if (found == files_.end()) return Result::kOk;
  if (found->second.durable_name) removed_[name] = std::move(found->second);
  files_.erase(found);
  return Result::kOk;
}

std::optional<std::string> CrashDisk::Read(const std::string& name, size_t offset,
                                           size_t size) const {
  sync::MutexLock lock(mutex_);
  const auto found = files_.find(name);
  if (!powered_ || found == files_.end()) return std::nullopt;
  const std::string& content = found->second.current;
  return offset >= content.size() ? std::string() : content.substr(offset, size);
}

std::optional<size_t> CrashDisk::Size(const std::string& name) const {
  sync::MutexLock lock(mutex_);
  const auto found = files_.find(name);
  if (found == files_.end()) return std::nullopt;
  return found->second.current.size();
}

}  // namespace wormhole::relay
