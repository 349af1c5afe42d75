#ifndef WORMHOLE_CLIENT_PAKE_KEY_SCHEDULE_H_
#define WORMHOLE_CLIENT_PAKE_KEY_SCHEDULE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/pake/cpace.h"
#include "client/pake/hkdf.h"
#include "client/pake/role.h"
#include "client/pake/secret_view.h"
#include "client/pake/wiped_array.h"

namespace wormhole::pake {

inline constexpr size_t kPrkBytes = kHashBytes;
inline constexpr size_t kTagBytes = 32;
inline constexpr size_t kVerifierBytes = 32;
inline constexpr size_t kMinDerivedKeyBytes = 16;
inline constexpr size_t kMaxDerivedKeyBytes = kMaxHkdfBytes;

// What both sides have said: public values, saved as they are. Views: the owner must outlive it.
struct Transcript {
  std::string_view ci;
  std::string_view sid;
  std::string_view share_i;
  std::string_view ad_i;
  std::string_view share_r;
  std::string_view ad_r;
};

// TH of PROTOCOL.md section 3. Public.
using TranscriptHash = std::array<uint8_t, kHashBytes>;
TranscriptHash HashTranscript(const Transcript& transcript);

// u64be(n): 8 bytes.
std::string U64be(uint64_t n);

using Prk = WipedArray<kPrkBytes>;
// PRK from K (of ScalarMultVfy) and the transcript, through ISK.
Prk DerivePrk(const Transcript& transcript, SecretView k);

// Every key of an exchange, derived from PRK when it is asked for; each costs one or two HMACs.
//
// What must be saved to make it again: PRK (a secret), and the six values of the transcript (or TH,
// their hash). TH serves the tags only; all other keys come from PRK alone. The scalar, the words,
// K and ISK are not needed any more once PRK is there.
//
// A cheap value that does not own PRK: the memory of PRK (usually a field of the exchange's
// SecretStruct) must outlive it, and have kPrkBytes. Const methods may be called from any thread.
// It does not know whether the peer's tag is good: the caller must verify that before it gives out
// any key.
class KeySchedule {
 public:
  KeySchedule(SecretView prk, const TranscriptHash& transcript_hash)
      : prk_(prk), transcript_hash_(transcript_hash) {}

  // T_x of `role`: a side sends that of its own role. 32 bytes.
  std::string Tag(Role role) const;
  // Whether `tag` is T_x of `role` (the peer's), in constant time. False for a wrong size too.
  [[nodiscard]] bool VerifyTag(Role role, std::string_view tag) const;

  // key(x, n) of the author's role and message number n.
  WipedArray<32> MessageKey(Role role, uint64_t n) const;
  // OKM("nonce", role_x, 32).
  WipedArray<32> NonceKey(Role role) const;
  // OKM("confirm", role_x, 32).
  WipedArray<kTagBytes> ConfirmKey(Role role) const;

  // For people to compare; see VerifierWordIndices().
  WipedArray<kVerifierBytes> Verifier() const;
  WipedArray<64> Exporter() const;
  // derive_key(purpose, out.size()): fills all of `out`. INVALID_ARGUMENT, with `out` untouched,
  // unless it has 16 to 16,320 bytes. Any purpose is allowed, the empty one too.
  absl::Status DeriveKey(std::string_view purpose, SecretSpan out) const;

 private:
  SecretView prk_;
  TranscriptHash transcript_hash_;
};

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_KEY_SCHEDULE_H_
