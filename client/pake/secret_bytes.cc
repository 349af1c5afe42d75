#include "client/pake/secret_bytes.h"

#include <sodium.h>

#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace wormhole::pake {
namespace {

// Memory areas are a resource of the process, and so is the count of them. Only a number: no order
// with other memory is needed.
std::atomic<size_t> live_count{0};

bool Reserve() {
  if (live_count.fetch_add(1, std::memory_order_relaxed) < SecretBytes::kMaxLive) return true;
  live_count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void Release() { live_count.fetch_sub(1, std::memory_order_relaxed); }

}  // namespace

absl::StatusOr<SecretBytes> SecretBytes::Create(size_t size) {
  if (size == 0) return SecretBytes();
  // Idempotent, cheap and safe in threads; sodium_malloc needs it.
  if (sodium_init() < 0) return absl::InternalError("libsodium could not be initialized");
  if (!Reserve()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this process holds ", kMaxLive,
                     " secrets in guarded memory; finish some exchanges first"));
  }
  auto* data = static_cast<uint8_t*>(sodium_malloc(size));
  if (data == nullptr) {
    Release();
    return absl::ResourceExhaustedError(
        absl::StrCat("the system gives no guarded memory for a secret of ", size,
                     " bytes; finish some exchanges first, or raise the memory limit"));
  }
  sodium_memzero(data, size);
  return SecretBytes(data, size);
}

absl::StatusOr<SecretBytes> SecretBytes::Copy(SecretView source) {
  absl::StatusOr<SecretBytes> copy = Create(source.size());
  if (copy.ok() && !copy->span().CopyFrom(source)) return absl::InternalError("sizes differ");
  return copy;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Reset();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() { Reset(); }

absl::StatusOr<SecretBytes> SecretBytes::Clone() const { return Copy(view()); }

void SecretBytes::Reset() {
  if (data_ == nullptr) return;
  sodium_free(data_);  // wipes first
  Release();
  data_ = nullptr;
  size_ = 0;
}

}  // namespace wormhole::pake
