#ifndef WORMHOLE_CLIENT_PAKE_SECRET_BYTES_H_
#define WORMHOLE_CLIENT_PAKE_SECRET_BYTES_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "client/pake/secret_view.h"
#include "proto/sync/fork.h"

namespace wormhole::pake {

// A secret of any size in memory of its own: sodium_malloc, so between guard pages, kept out of
// core dumps, locked against swapping as far as RLIMIT_MEMLOCK allows (past it the memory is merely
// not locked), wiped on destruction. A forked child finds zeros there, and may destroy the objects
// of its parent.
//
// Each non-empty object costs at least four pages, four of the kernel's memory areas and about ten
// system calls (measured: 20 us to make and free one, 60 us in a busy process with many threads).
// To save system calls, the process keeps a few dozen wiped allocations for the next secrets of
// their size. An exchange keeps its secrets in ONE allocation (SecretStruct, or one SecretBytes cut
// up with view()/span()), and short-lived values in WipedArray.
//
// Move-only; a moved-from object is empty, and moving keeps views valid. Copying is Clone(),
// spelled out. One object needs outside synchronization; different objects need none.
class SecretBytes {
 public:
  // How many non-empty objects a process may have at a time. A process has 65,530 memory areas by
  // default (vm.max_map_count); past them every larger malloc and new thread in it fails, and
  // sodium_malloc silently leaves guard pages out. So this class has a limit, below the kernel's.
  static constexpr size_t kMaxLive = 14'000;

  // Empty; owns no memory.
  SecretBytes() = default;
  // `size` zero bytes. RESOURCE_EXHAUSTED past kMaxLive objects, or when the system gives no
  // more memory.
  static absl::StatusOr<SecretBytes> Create(size_t size);
  // A copy of `source`, which its owner should then wipe. Errors as Create().
  static absl::StatusOr<SecretBytes> Copy(SecretView source);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  // A second copy in memory of its own. Errors as Create().
  absl::StatusOr<SecretBytes> Clone() const;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const uint8_t* data(SecretAccess) const { return data_; }
  uint8_t* data(SecretAccess) { return data_; }

  SecretView view() const { return SecretView(data_, size_); }
  SecretSpan span() { return SecretSpan(data_, size_); }
  operator SecretView() const { return view(); }  // NOLINT: meant to be implicit

  // In constant time for equal sizes; the sizes themselves are not secret.
  bool Equals(SecretView other) const { return view().Equals(other); }

  // Wipes and frees now; the object is empty afterwards.
  void Reset();

  // Gives back what the process keeps for the next secrets. Any thread.
  static void FreeSpares();

 private:
  SecretBytes(uint8_t* data, size_t size)
      : data_(data), size_(size), generation_(sync::ForkGeneration()) {}

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  uint64_t generation_ = 0;  // of forks, in which data_ was allocated
};

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_SECRET_BYTES_H_
