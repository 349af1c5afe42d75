#ifndef WORMHOLE_CLIENT_PAKE_SEALED_H_
#define WORMHOLE_CLIENT_PAKE_SEALED_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/pake/key_schedule.h"
#include "client/pake/role.h"

// The boxes of PROTOCOL.md section 4: XChaCha20-Poly1305-IETF with a nonce made from the message,
// in padding that shows only a power of two. Pure; any thread.
namespace wormhole::pake {

inline constexpr size_t kMinBucketBytes = 256;
inline constexpr size_t kMaxBucketBytes = 65536;
inline constexpr size_t kMaxPlaintextBytes = kMaxBucketBytes - 1;
inline constexpr size_t kBoxOverheadBytes = 24 + 16;  // nonce and tag; the padding comes on top

// Message n of the author `role`. The same plaintext gives the same bytes again. INVALID_ARGUMENT
// when the plaintext has more than 65,535 bytes.
absl::StatusOr<std::string> Seal(const KeySchedule& schedule, Role role, uint64_t n,
                                 std::string_view plaintext);

// The plaintext of message n of the author `role` (the peer). A wrong tag, padding, bucket or size
// is one and the same INVALID_ARGUMENT.
absl::StatusOr<std::string> Open(const KeySchedule& schedule, Role role, uint64_t n,
                                 std::string_view box);

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_SEALED_H_
