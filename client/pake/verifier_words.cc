#include "client/pake/verifier_words.h"

namespace wormhole::pake {

std::array<uint16_t, kVerifierWords> VerifierWordIndices(
    const WipedArray<kVerifierBytes>& verifier) {
  constexpr int kBitsPerWord = 11;
  constexpr uint32_t kMask = (1u << kBitsPerWord) - 1;
  const uint8_t* next = verifier.data(SecretAccess{});
  std::array<uint16_t, kVerifierWords> indices;
  uint32_t bits = 0;
  int have = 0;
  for (uint16_t& index : indices) {
    for (; have < kBitsPerWord; have += 8) bits = (bits << 8) | *next++;
    have -= kBitsPerWord;
    index = static_cast<uint16_t>((bits >> have) & kMask);
  }
  return indices;
}

}  // namespace wormhole::pake
