#ifndef WORMHOLE_CLIENT_PAKE_SECRET_STRUCT_H_
#define WORMHOLE_CLIENT_PAKE_SECRET_STRUCT_H_

#include <new>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "client/pake/secret_bytes.h"

namespace wormhole::pake {

// All secrets of one exchange in one guarded allocation: T is a plain struct of fixed-size fields,
//
//   struct ExchangeSecrets { uint8_t token[32]; uint8_t scalar[32]; uint8_t prk[64]; ... };
//   ASSIGN_OR_RETURN(auto secrets, SecretStruct<ExchangeSecrets>::Create());
//   ExchangeSecrets& s = secrets.get(SecretAccess{});
//   KeySchedule schedule(SecretView(s.prk, sizeof(s.prk)), transcript_hash);
//
// Move-only as SecretBytes; a default-constructed or moved-from object is empty and get() on it is
// not allowed. Views into the fields stay valid when the object is moved. Synchronization as for
// SecretBytes.
template <typename T>
class SecretStruct {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                "wiping and copying the bytes must be all there is to it");

 public:
  SecretStruct() = default;
  // A value-initialized T. Errors as SecretBytes::Create().
  static absl::StatusOr<SecretStruct> Create() {
    absl::StatusOr<SecretBytes> bytes = SecretBytes::Create(sizeof(T));
    if (!bytes.ok()) return bytes.status();
    // sodium_malloc ends the allocation at a page's end; sizeof(T) is a multiple of T's alignment,
    // and so the start is aligned too.
    new (bytes->data(SecretAccess{})) T();
    return SecretStruct(*std::move(bytes));
  }
  absl::StatusOr<SecretStruct> Clone() const {
    absl::StatusOr<SecretBytes> bytes = bytes_.Clone();
    if (!bytes.ok()) return bytes.status();
    return SecretStruct(*std::move(bytes));
  }

  bool empty() const { return bytes_.empty(); }
  const T& get(SecretAccess access) const {
    return *std::launder(reinterpret_cast<const T*>(bytes_.data(access)));
  }
  T& get(SecretAccess access) { return *std::launder(reinterpret_cast<T*>(bytes_.data(access))); }

  // Wipes and frees now; the object is empty afterwards.
  void Reset() { bytes_.Reset(); }

 private:
  explicit SecretStruct(SecretBytes bytes) : bytes_(std::move(bytes)) {}

  SecretBytes bytes_;
};

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_SECRET_STRUCT_H_
