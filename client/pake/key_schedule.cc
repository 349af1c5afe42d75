#include "client/pake/key_schedule.h"

#include <sodium.h>

#include "absl/strings/str_cat.h"
#include "proto/wire/lv.h"
#include "proto/wire/lv_hash.h"
#include "proto/wire/protocol_name.h"

namespace wormhole::pake {
namespace {

static_assert(crypto_auth_BYTES == kTagBytes && crypto_auth_KEYBYTES == kTagBytes);

std::string Ir(const Transcript& t) { return TranscriptIr(t.share_i, t.ad_i, t.share_r, t.ad_r); }

// OKM(label, context, N); N is a constant far below HKDF's limit, so it cannot fail.
template <size_t N>
WipedArray<N> Okm(SecretView prk, std::string_view label, std::string_view context) {
  static_assert(N <= kMaxHkdfBytes);
  WipedArray<N> key;
  HkdfExpand(prk, wire::Lv({wire::kProtocolName, label, context}), key.span()).IgnoreError();
  return key;
}

}  // namespace

std::string U64be(uint64_t n) {
  std::string out(8, '\0');
  for (int i = 0; i < 8; ++i) out[i] = static_cast<char>(n >> (56 - 8 * i));
  return out;
}

TranscriptHash HashTranscript(const Transcript& transcript) {
  wire::LvHash hash;
  hash.AddField(wire::kProtocolName);
  hash.AddField("transcript");
  hash.AddField(transcript.ci);
  hash.AddField(transcript.sid);
  hash.AddRaw(Ir(transcript));
  TranscriptHash th;
  hash.Finish(th.data());
  return th;
}

Prk DerivePrk(const Transcript& transcript, SecretView k) {
  const TranscriptHash th = HashTranscript(transcript);
  const Isk isk = ComputeIsk(transcript.sid, k, Ir(transcript));
  return HkdfExtract(std::string_view(reinterpret_cast<const char*>(th.data()), th.size()), isk);
}

std::string KeySchedule::Tag(Role role) const {
  const WipedArray<kTagBytes> key = ConfirmKey(role);
  std::string tag(kTagBytes, '\0');
  crypto_auth(reinterpret_cast<unsigned char*>(tag.data()), transcript_hash_.data(),
              transcript_hash_.size(), key.data(SecretAccess{}));
  return tag;
}

bool KeySchedule::VerifyTag(Role role, std::string_view tag) const {
  if (tag.size() != kTagBytes) return false;
  const WipedArray<kTagBytes> key = ConfirmKey(role);
  return crypto_auth_verify(reinterpret_cast<const unsigned char*>(tag.data()),
                            transcript_hash_.data(), transcript_hash_.size(),
                            key.data(SecretAccess{})) == 0;
}

WipedArray<32> KeySchedule::MessageKey(Role role, uint64_t n) const {
  return Okm<32>(prk_, "message", wire::Lv({RoleName(role), U64be(n)}));
}

WipedArray<32> KeySchedule::NonceKey(Role role) const {
  return Okm<32>(prk_, "nonce", RoleName(role));
}

WipedArray<kTagBytes> KeySchedule::ConfirmKey(Role role) const {
  return Okm<kTagBytes>(prk_, "confirm", RoleName(role));
}

WipedArray<kVerifierBytes> KeySchedule::Verifier() const {
  return Okm<kVerifierBytes>(prk_, "verifier", "");
}

WipedArray<64> KeySchedule::Exporter() const { return Okm<64>(prk_, "exporter", ""); }

absl::Status KeySchedule::DeriveKey(std::string_view purpose, SecretSpan out) const {
  if (out.size() < kMinDerivedKeyBytes || out.size() > kMaxDerivedKeyBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a derived key has ", kMinDerivedKeyBytes,
                                                   " to ", kMaxDerivedKeyBytes, " bytes, not ",
                                                   out.size()));
  }
  return HkdfExpand(Exporter(), wire::Lv({wire::kProtocolName, "export", purpose}), out);
}

}  // namespace wormhole::pake
