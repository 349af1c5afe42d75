#include "tests/store/crash_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>
#include <vector>

namespace wormhole::relay {
namespace {

// What SQLite allocates for an open file.
struct OpenFile {
  sqlite3_file base;
  CrashDisk* disk;
  std::string* name;
  bool removed_at_close;
  // The WAL's index: memory that processes would share.
  std::vector<std::unique_ptr<char[]>>* shared;
};

OpenFile& FileOf(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }

int CodeOf(CrashDisk::Result result, int io_error) {
  switch (result) {
    case CrashDisk::Result::kOk:
      return SQLITE_OK;
    case CrashDisk::Result::kFull:
      return SQLITE_FULL;
    case CrashDisk::Result::kNoPower:
    case CrashDisk::Result::kBroken:
      break;
  }
  return io_error;
}

int Close(sqlite3_file* base) {
  OpenFile& file = FileOf(base);
  if (file.removed_at_close) file.disk->Remove(*file.name);
  delete file.name;
  delete file.shared;
  return SQLITE_OK;
}

int Read(sqlite3_file* base, void* buffer, int size, sqlite3_int64 offset) {
  const OpenFile& file = FileOf(base);
  const auto bytes =
      file.disk->Read(*file.name, static_cast<size_t>(offset), static_cast<size_t>(size));
  if (!bytes.has_value()) return SQLITE_IOERR_READ;
  std::memcpy(buffer, bytes->data(), bytes->size());
  if (bytes->size() == static_cast<size_t>(size)) return SQLITE_OK;
  std::memset(static_cast<char*>(buffer) + bytes->size(), 0,
              static_cast<size_t>(size) - bytes->size());
  return SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* base, const void* bytes, int size, sqlite3_int64 offset) {
  const OpenFile& file = FileOf(base);
  const std::string_view view(static_cast<const char*>(bytes), static_cast<size_t>(size));
  return CodeOf(file.disk->Write(*file.name, static_cast<size_t>(offset), view),
                SQLITE_IOERR_WRITE);
}

int Truncate(sqlite3_file* base, sqlite3_int64 size) {
  const OpenFile& file = FileOf(base);
  return CodeOf(file.disk->Truncate(*file.name, static_cast<size_t>(size)), SQLITE_IOERR_TRUNCATE);
}

int Sync(sqlite3_file* base, int) {
  const OpenFile& file = FileOf(base);
  return CodeOf(file.disk->Sync(*file.name), SQLITE_IOERR_FSYNC);
}

int FileSize(sqlite3_file* base, sqlite3_int64* size) {
  const OpenFile& file = FileOf(base);
  *size = static_cast<sqlite3_int64>(file.disk->Size(*file.name).value_or(0));
  return SQLITE_OK;
}

int Lock(sqlite3_file*, int) { return SQLITE_OK; }
int CheckReservedLock(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return static_cast<int>(CrashDisk::kSectorBytes); }
// As SQLite's own VFS has it: a torn write leaves the bytes around it alone.
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int SharedMap(sqlite3_file* base, int region, int size, int extend, void volatile** memory) {
  auto& shared = *FileOf(base).shared;
  *memory = nullptr;
  if (static_cast<size_t>(region) >= shared.size() && extend == 0) return SQLITE_OK;
  while (shared.size() <= static_cast<size_t>(region)) {
    shared.push_back(std::make_unique<char[]>(static_cast<size_t>(size)));
  }
  *memory = shared[static_cast<size_t>(region)].get();
  return SQLITE_OK;
}
int SharedLock(sqlite3_file*, int, int, int) { return SQLITE_OK; }
void SharedBarrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }
int SharedUnmap(sqlite3_file* base, int) {
  FileOf(base).shared->clear();
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    2,
    Close,
    Read,
    Write,
    Truncate,
    Sync,
    FileSize,
    Lock,
    Lock,
    CheckReservedLock,
    FileControl,
    SectorSize,
    DeviceCharacteristics,
    SharedMap,
    SharedLock,
    SharedBarrier,
    SharedUnmap,
    nullptr,
    nullptr,
};

CrashDisk* DiskOf(sqlite3_vfs* vfs) { return static_cast<CrashDisk*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* base, int flags, int* out_flags) {
  static std::atomic<int> nameless = 0;
  OpenFile* file = new (base) OpenFile{};
  const std::string file_name =
      name != nullptr ? std::string(name) : "nameless " + std::to_string(++nameless);
  if (DiskOf(vfs)->Open(file_name) != CrashDisk::Result::kOk) return SQLITE_CANTOPEN;
  file->base.pMethods = &kMethods;
  file->disk = DiskOf(vfs);
  file->name = new std::string(file_name);
  file->shared = new std::vector<std::unique_ptr<char[]>>();
  file->removed_at_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int) {
  return CodeOf(DiskOf(vfs)->Remove(name), SQLITE_IOERR_DELETE);
}

int Access(sqlite3_vfs* vfs, const char* name, int, int* result) {
  *result = DiskOf(vfs)->Size(name).has_value() ? 1 : 0;
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs*, const char* name, int size, char* full) {
  sqlite3_snprintf(size, full, "%s", name);
  return SQLITE_OK;
}

std::string NewName() {
  static std::atomic<int> made = 0;
  return "crash-" + std::to_string(++made);
}

}  // namespace

struct CrashVfs::Registration {
  sqlite3_vfs vfs;
};

CrashVfs::CrashVfs(CrashDisk* disk)
    : name_(NewName()), registration_(std::make_unique<Registration>()) {
  // Time, sleep and randomness are the system's.
  sqlite3_vfs& vfs = registration_->vfs;
  vfs = *sqlite3_vfs_find(nullptr);
  vfs.szOsFile = sizeof(OpenFile);
  vfs.pNext = nullptr;
  vfs.zName = name_.c_str();
  vfs.pAppData = disk;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  sqlite3_vfs_register(&vfs, 0);
}

CrashVfs::~CrashVfs() { sqlite3_vfs_unregister(&registration_->vfs); }

}  // namespace wormhole::relay
