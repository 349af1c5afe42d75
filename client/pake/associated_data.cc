#include "client/pake/associated_data.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/pake/role.h"
#include "proto/wire/lv.h"
#include "proto/wire/protocol_name.h"

namespace wormhole::pake {
namespace {

constexpr std::string_view kSuite = "CPACE-RISTR255-SHA512";

struct Fields {
  std::string_view versions;
  std::string_view side;
};

// Reads and checks what AD_i and AD_r have in common.
absl::StatusOr<Fields> ParseAd(std::string_view ad, Role author, const wire::Side& own_side) {
  absl::StatusOr<std::vector<std::string_view>> fields = wire::ParseLv(ad, 4);
  if (!fields.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the peer's associated data is malformed: ", fields.status().message()));
  }
  if ((*fields)[0] != wire::kProtocolName) {
    return absl::InvalidArgumentError("the peer's associated data names another protocol");
  }
  if ((*fields)[1] != RoleName(author)) {
    return absl::InvalidArgumentError("the peer's associated data names the wrong role");
  }
  if ((*fields)[3].size() != wire::kSideBytes) {
    return absl::InvalidArgumentError("the peer's associated data has a side of a wrong size");
  }
  if ((*fields)[3] == own_side) {
    return absl::InvalidArgumentError("the peer's associated data names our own side");
  }
  return Fields{(*fields)[2], (*fields)[3]};
}

bool StrictlyAscending(std::string_view versions) {
  for (size_t i = 1; i < versions.size(); ++i) {
    if (static_cast<uint8_t>(versions[i - 1]) >= static_cast<uint8_t>(versions[i])) return false;
  }
  return true;
}

}  // namespace

std::string ChannelInfo(std::string_view app_id, uint64_t channel_id) {
  return wire::Lv({wire::kProtocolName, kSuite, app_id, std::to_string(channel_id),
                   RoleName(Role::kInitiator), RoleName(Role::kReceiver)});
}

std::string InitiatorAd(std::string_view versions, const wire::Side& side) {
  return wire::Lv({wire::kProtocolName, RoleName(Role::kInitiator), versions, side});
}

std::string ReceiverAd(uint8_t version, const wire::Side& side) {
  const char byte = static_cast<char>(version);
  return wire::Lv(
      {wire::kProtocolName, RoleName(Role::kReceiver), std::string_view(&byte, 1), side});
}

absl::StatusOr<InitiatorAdFields> ParseInitiatorAd(std::string_view ad,
                                                   const wire::Side& own_side) {
  absl::StatusOr<Fields> fields = ParseAd(ad, Role::kInitiator, own_side);
  if (!fields.ok()) return fields.status();
  if (fields->versions.empty() || !StrictlyAscending(fields->versions)) {
    return absl::InvalidArgumentError("the peer's list of versions is empty or not ascending");
  }
  return InitiatorAdFields{std::string(fields->versions), wire::Side(fields->side)};
}

absl::StatusOr<ReceiverAdFields> ParseReceiverAd(std::string_view ad, std::string_view offered,
                                                 const wire::Side& own_side) {
  absl::StatusOr<Fields> fields = ParseAd(ad, Role::kReceiver, own_side);
  if (!fields.ok()) return fields.status();
  if (fields->versions.size() != 1 ||
      offered.find(fields->versions.front()) == std::string_view::npos) {
    return absl::InvalidArgumentError("the peer chose a version that was not offered");
  }
  return ReceiverAdFields{static_cast<uint8_t>(fields->versions.front()), wire::Side(fields->side)};
}

absl::StatusOr<uint8_t> ChooseVersion(std::string_view offered, std::string_view supported) {
  for (auto version = supported.rbegin(); version != supported.rend(); ++version) {
    if (offered.find(*version) != std::string_view::npos) return static_cast<uint8_t>(*version);
  }
  return absl::FailedPreconditionError(
      "the peer's program and this one have no protocol version in common; update the older one");
}

}  // namespace wormhole::pake
