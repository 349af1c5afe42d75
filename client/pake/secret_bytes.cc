#include "client/pake/secret_bytes.h"

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/pake/sodium_start.h"
#include "proto/sync/fork.h"
#include "proto/sync/mutex.h"

namespace wormhole::pake {
namespace {

// The kernel limits memory areas per process, so this counts for the whole process. Relaxed order
// is enough: no other memory depends on the count.
std::atomic<size_t> live_count{0};

bool Reserve() {
  if (live_count.fetch_add(1, std::memory_order_relaxed) < SecretBytes::kMaxLive) return true;
  live_count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void Release() { live_count.fetch_sub(1, std::memory_order_relaxed); }

// Allocations that have been wiped and wait for the next secret of their size, so that a process
// with one exchange after another makes no system calls for them.
class SpareAllocations {
 public:
  // Zeros, or null when there is none.
  uint8_t* Take(size_t size) {
    sync::MutexLock lock(mutex_);
    for (Spare& spare : spares_) {
      if (spare.size != size) continue;
      uint8_t* const data = spare.data;
      spare = spares_.back();
      spares_.pop_back();
      return data;
    }
    return nullptr;
  }

  // Wipes it. False when there are enough: the caller frees it.
  bool Keep(uint8_t* data, size_t size) {
    sodium_memzero(data, size);
    sync::MutexLock lock(mutex_);
    if (spares_.size() >= kMost) return false;
    spares_.push_back({data, size});
    return true;
  }

  void FreeAll() {
    std::vector<Spare> spares;
    {
      sync::MutexLock lock(mutex_);
      spares.swap(spares_);
    }
    for (const Spare& spare : spares) sodium_free(spare.data);
  }

 private:
  // As many exchanges as a busy process ends and begins at a time; the memory that they keep locked
  // is small. None under AddressSanitizer, which then finds the use of a secret after its end.
#ifdef __SANITIZE_ADDRESS__
  static constexpr size_t kMost = 0;
#else
  static constexpr size_t kMost = 64;
#endif
  struct Spare {
    uint8_t* data;
    size_t size;
  };

  sync::Mutex mutex_;
  std::vector<Spare> spares_ WORMHOLE_GUARDED_BY(mutex_);
};

// The spares of this process. A forked child has its own: another thread may have held the lock of
// the parent's at the fork, and the parent's are no allocations here (see Reset).
struct OwnSpares {
  const OwnSpares* parents = nullptr;  // so that leak checkers see that somebody still has them
  uint64_t generation = 0;
  SpareAllocations spares = {};
};

// Never destroyed, since threads that nobody joins may end an exchange after main. Not on the heap,
// where it would leak when a plugin with this code is unloaded.
union Original {
  constexpr Original() : own() {}
  ~Original() {}
  OwnSpares own;
};
constinit Original original;

constinit std::atomic<OwnSpares*> own_spares{&original.own};

SpareAllocations& Spares() {
  OwnSpares* found = own_spares.load();
  while (found->generation != sync::ForkGeneration()) {
    auto made = std::unique_ptr<OwnSpares>(
        new OwnSpares{.parents = found, .generation = sync::ForkGeneration()});
    if (own_spares.compare_exchange_strong(found, made.get())) return made.release()->spares;
  }
  return found->spares;
}

// Has the kernel give a forked child zeros in place of these bytes. This stands on what libsodium
// documents of sodium_malloc: the memory ends where a page does, and its pages hold nothing else
// but a canary of libsodium's. Where it does not end so (a build without guarded memory) others may
// have something on its pages, which stay as they are. A kernel before 4.14 refuses.
void WipeOnFork(uint8_t* data, size_t size) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto end = reinterpret_cast<uintptr_t>(data) + size;
  if (end % page != 0) return;
  uint8_t* const first = data - reinterpret_cast<uintptr_t>(data) % page;
  (void)madvise(first, static_cast<size_t>(data + size - first), MADV_WIPEONFORK);
}

}  // namespace

absl::StatusOr<SecretBytes> SecretBytes::Create(size_t size) {
  if (size == 0) return SecretBytes();
  // sodium_malloc needs it.
  if (StartSodium() != SodiumStart::kStarted) {
    return absl::InternalError("libsodium could not be initialized");
  }
  if (!Reserve()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this process holds ", kMaxLive,
                     " secrets in guarded memory; finish some exchanges first"));
  }
  if (uint8_t* const spare = Spares().Take(size)) return SecretBytes(spare, size);
  auto* data = static_cast<uint8_t*>(sodium_malloc(size));
  if (data == nullptr) {
    Release();
    return absl::ResourceExhaustedError(
        absl::StrCat("the system gives no guarded memory for a secret of ", size,
                     " bytes; finish some exchanges first, or raise the memory limit"));
  }
  WipeOnFork(data, size);
  sodium_memzero(data, size);
  return SecretBytes(data, size);
}

absl::StatusOr<SecretBytes> SecretBytes::Copy(SecretView source) {
  absl::StatusOr<SecretBytes> copy = Create(source.size());
  if (copy.ok() && !copy->span().CopyFrom(source)) return absl::InternalError("sizes differ");
  return copy;
}

void SecretBytes::FreeSpares() { Spares().FreeAll(); }

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      generation_(other.generation_) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Reset();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    generation_ = other.generation_;
  }
  return *this;
}

SecretBytes::~SecretBytes() { Reset(); }

absl::StatusOr<SecretBytes> SecretBytes::Clone() const { return Copy(view()); }

void SecretBytes::Reset() {
  if (data_ == nullptr) return;
  // What a parent has allocated is not freed: libsodium would find its canary wiped, and end the
  // process.
  if (generation_ == sync::ForkGeneration()) {
    if (!Spares().Keep(data_, size_)) sodium_free(data_);
    Release();
  }
  data_ = nullptr;
  size_ = 0;
}

}  // namespace wormhole::pake
