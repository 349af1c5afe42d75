#ifndef WORMHOLE_CLIENT_PAKE_CPACE_H_
#define WORMHOLE_CLIENT_PAKE_CPACE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/pake/hkdf.h"
#include "client/pake/secret_view.h"
#include "client/pake/wiped_array.h"

// CPace, draft-irtf-cfrg-cpace-21, suite CPACE-RISTR255-SHA512, initiator-responder form. Pure: the
// randomness comes from the caller. Any thread. The names are the draft's.
namespace wormhole::pake {

inline constexpr size_t kShareBytes = 32;       // a ristretto255 element, encoded (RFC 9496)
inline constexpr size_t kScalarBytes = 32;      // little-endian, below the group's order
inline constexpr size_t kScalarSeedBytes = 64;  // uniform bytes that a scalar is made from
inline constexpr size_t kSidBytes = 32;         // as wormhole-sync/1 draws it; the draft allows any

// Secrets, all of them: with a generator, an attacker can test guesses of the words offline.
using Generator = WipedArray<kShareBytes>;
using Scalar = WipedArray<kScalarBytes>;
using SharedPoint = WipedArray<kShareBytes>;  // K
using Isk = WipedArray<kHashBytes>;

// calculate_generator(H, PRS, CI, sid) of the draft, section 7.3.
Generator CalculateGenerator(SecretView prs, std::string_view ci, std::string_view sid);

// A uniform scalar from 64 uniform bytes (reduced modulo the group's order), the same distribution
// as crypto_core_ristretto255_scalar_random with the randomness coming from outside.
Scalar ScalarFromUniform(const WipedArray<kScalarSeedBytes>& uniform);

// The public share Y = scalar * generator, 32 bytes, to be sent. INVALID_ARGUMENT when either has
// not 32 bytes, or the result is the identity (a scalar of zero, which a restored state might
// hold).
absl::StatusOr<std::string> Share(SecretView generator, SecretView scalar);

// K = scalar * peer_share. INVALID_ARGUMENT, with a message that says which rule, unless the peer's
// share passes PROTOCOL.md section 3 in this order: it has 32 bytes; bit 255 is clear; it is a
// valid encoding; it differs from own_share; the product is not the identity.
absl::StatusOr<SharedPoint> ScalarMultVfy(SecretView scalar, std::string_view peer_share,
                                          std::string_view own_share);

// transcript_ir(Y_i, AD_i, Y_r, AD_r) = lv(Y_i, AD_i) || lv(Y_r, AD_r).
std::string TranscriptIr(std::string_view share_i, std::string_view ad_i, std::string_view share_r,
                         std::string_view ad_r);

// ISK = H(lv("CPaceRistretto255_ISK", sid, K) || transcript_ir).
Isk ComputeIsk(std::string_view sid, SecretView k, std::string_view transcript_ir);

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_CPACE_H_
