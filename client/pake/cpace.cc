#include "client/pake/cpace.h"

#include <sodium.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/lv.h"
#include "proto/wire/lv_hash.h"

namespace wormhole::pake {
namespace {

static_assert(crypto_core_ristretto255_BYTES == kShareBytes);
static_assert(crypto_core_ristretto255_SCALARBYTES == kScalarBytes);
static_assert(crypto_core_ristretto255_NONREDUCEDSCALARBYTES == kScalarSeedBytes);
static_assert(crypto_core_ristretto255_HASHBYTES == kHashBytes);

constexpr std::string_view kDsi = "CPaceRistretto255";
constexpr std::string_view kDsiIsk = "CPaceRistretto255_ISK";
constexpr size_t kHashBlockBytes = 128;  // H.s_in_bytes of SHA-512

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

size_t LvBytes(size_t field_bytes) { return wire::LvPrefix(field_bytes).size() + field_bytes; }

// len_zpad of the draft's generator_string: with its own length byte, the zeros end the first block
// of the hash after DSI and PRS.
size_t ZeroPadBytes(size_t prs_bytes) {
  const size_t used = LvBytes(prs_bytes) + LvBytes(kDsi.size()) + 1;
  return used < kHashBlockBytes ? kHashBlockBytes - used : 0;
}

absl::Status CheckPeerShare(std::string_view peer_share, std::string_view own_share) {
  if (peer_share.size() != kShareBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the peer's share has ", peer_share.size(), " bytes, not ", kShareBytes));
  }
  // RFC 9496 section 4.3.1 refuses such encodings; libsodium 1.0.18 ignores the bit.
  if ((Bytes(peer_share)[kShareBytes - 1] & 0x80) != 0) {
    return absl::InvalidArgumentError("bit 255 of the peer's share is set");
  }
  if (crypto_core_ristretto255_is_valid_point(Bytes(peer_share)) != 1) {
    return absl::InvalidArgumentError("the peer's share is not a valid point");
  }
  if (peer_share == own_share) {
    return absl::InvalidArgumentError("the peer's share is our own, sent back");
  }
  return absl::OkStatus();
}

}  // namespace

Generator CalculateGenerator(SecretView prs, std::string_view ci, std::string_view sid) {
  static constexpr char kZeros[kHashBlockBytes] = {};
  wire::LvHash hash;
  hash.AddField(kDsi);
  hash.AddField(prs.string(SecretAccess{}));
  hash.AddField(std::string_view(kZeros, ZeroPadBytes(prs.size())));
  hash.AddField(ci);
  hash.AddField(sid);
  WipedArray<kHashBytes> digest;
  hash.Finish(digest.data(SecretAccess{}));
  Generator generator;
  crypto_core_ristretto255_from_hash(generator.data(SecretAccess{}), digest.data(SecretAccess{}));
  return generator;
}

Scalar ScalarFromUniform(const WipedArray<kScalarSeedBytes>& uniform) {
  Scalar scalar;
  crypto_core_ristretto255_scalar_reduce(scalar.data(SecretAccess{}), uniform.data(SecretAccess{}));
  return scalar;
}

absl::StatusOr<std::string> Share(SecretView generator, SecretView scalar) {
  if (generator.size() != kShareBytes || scalar.size() != kScalarBytes) {
    return absl::InvalidArgumentError("a generator or scalar of a wrong size");
  }
  std::string share(kShareBytes, '\0');
  if (crypto_scalarmult_ristretto255(reinterpret_cast<unsigned char*>(share.data()),
                                     scalar.data(SecretAccess{}),
                                     generator.data(SecretAccess{})) != 0) {
    return absl::InvalidArgumentError("the scalar or the generator is unusable");
  }
  return share;
}

absl::StatusOr<SharedPoint> ScalarMultVfy(SecretView scalar, std::string_view peer_share,
                                          std::string_view own_share) {
  if (absl::Status status = CheckPeerShare(peer_share, own_share); !status.ok()) return status;
  if (scalar.size() != kScalarBytes) return absl::InvalidArgumentError("a scalar of a wrong size");
  SharedPoint k;
  if (crypto_scalarmult_ristretto255(k.data(SecretAccess{}), scalar.data(SecretAccess{}),
                                     Bytes(peer_share)) != 0) {
    return absl::InvalidArgumentError("the peer's share leads to the identity");
  }
  return k;
}

std::string TranscriptIr(std::string_view share_i, std::string_view ad_i, std::string_view share_r,
                         std::string_view ad_r) {
  return wire::Lv({share_i, ad_i, share_r, ad_r});
}

Isk ComputeIsk(std::string_view sid, SecretView k, std::string_view transcript_ir) {
  wire::LvHash hash;
  hash.AddField(kDsiIsk);
  hash.AddField(sid);
  hash.AddField(k.string(SecretAccess{}));
  hash.AddRaw(transcript_ir);
  Isk isk;
  hash.Finish(isk.data(SecretAccess{}));
  return isk;
}

}  // namespace wormhole::pake
