#ifndef WORMHOLE_CLIENT_PAKE_WIPED_ARRAY_H_
#define WORMHOLE_CLIENT_PAKE_WIPED_ARRAY_H_

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "client/pake/secret_view.h"

namespace wormhole::pake {

// A short-lived secret of N bytes on the stack, wiped when it goes out of scope. Costs no system
// call, unlike SecretBytes, and has no guard pages or lock: for the intermediate values of one
// function call. What lives longer belongs in SecretBytes or SecretStruct. Move-only; a move wipes
// its source.
template <size_t N>
class WipedArray {
 public:
  static constexpr size_t kSize = N;

  WipedArray() : bytes_{} {}
  WipedArray(WipedArray&& other) noexcept : bytes_(other.bytes_) { other.Wipe(); }
  WipedArray& operator=(WipedArray&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.Wipe();
    }
    return *this;
  }
  WipedArray(const WipedArray&) = delete;
  WipedArray& operator=(const WipedArray&) = delete;
  ~WipedArray() { Wipe(); }

  constexpr size_t size() const { return N; }
  const uint8_t* data(SecretAccess) const { return bytes_.data(); }
  uint8_t* data(SecretAccess) { return bytes_.data(); }

  SecretView view() const { return SecretView(bytes_.data(), N); }
  SecretSpan span() { return SecretSpan(bytes_.data(), N); }
  operator SecretView() const { return view(); }  // NOLINT: meant to be implicit

  void Wipe() { sodium_memzero(bytes_.data(), N); }

 private:
  std::array<uint8_t, N> bytes_;
};

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_WIPED_ARRAY_H_
