#ifndef WORMHOLE_CLIENT_PAKE_VERIFIER_WORDS_H_
#define WORMHOLE_CLIENT_PAKE_VERIFIER_WORDS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "client/pake/key_schedule.h"

namespace wormhole::pake {

inline constexpr size_t kVerifierWords = 8;

// The verifier as eight places (0 to 2047) in a list of 2048 words: 88 bits, 11 each from the
// front, big-endian (PROTOCOL.md section 3). Pure; any thread.
std::array<uint16_t, kVerifierWords> VerifierWordIndices(
    const WipedArray<kVerifierBytes>& verifier);

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_VERIFIER_WORDS_H_
