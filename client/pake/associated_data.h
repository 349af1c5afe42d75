#ifndef WORMHOLE_CLIENT_PAKE_ASSOCIATED_DATA_H_
#define WORMHOLE_CLIENT_PAKE_ASSOCIATED_DATA_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/wire/side.h"

// CI, AD_i and AD_r of PROTOCOL.md section 3, with the strict reading of the peer's AD and the
// choice of the version. All values are public. Pure; any thread.
namespace wormhole::pake {

// Protocol versions that this build speaks, one byte each, ascending.
inline constexpr std::string_view kSupportedVersions = "\x01";

// CI = lv(P, "CPACE-RISTR255-SHA512", app-id, channel id in decimal, "initiator", "receiver").
std::string ChannelInfo(std::string_view app_id, uint64_t channel_id);

// AD_i. `versions` as kSupportedVersions.
std::string InitiatorAd(std::string_view versions, const wire::Side& side);
// AD_r. `version` is the one chosen.
std::string ReceiverAd(uint8_t version, const wire::Side& side);

struct InitiatorAdFields {
  std::string versions;  // not empty, one byte each, strictly ascending
  wire::Side side;
};
struct ReceiverAdFields {
  uint8_t version;
  wire::Side side;
};

// The receiver's reading of AD_i. INVALID_ARGUMENT unless it has exactly its four fields, minimally
// encoded, names this protocol and the role initiator, lists versions in strictly ascending order,
// and names a side of 16 bytes other than own_side.
absl::StatusOr<InitiatorAdFields> ParseInitiatorAd(std::string_view ad, const wire::Side& own_side);
// The initiator's reading of AD_r. INVALID_ARGUMENT as for AD_i, with the role receiver, and unless
// it names exactly one version, which is one of `offered`.
absl::StatusOr<ReceiverAdFields> ParseReceiverAd(std::string_view ad, std::string_view offered,
                                                 const wire::Side& own_side);

// The highest version in both lists. FAILED_PRECONDITION when there is none: final, one of the two
// programs is too old.
absl::StatusOr<uint8_t> ChooseVersion(std::string_view offered,
                                      std::string_view supported = kSupportedVersions);

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_ASSOCIATED_DATA_H_
