// The first request of a stream, checked and without its secret.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_OPEN_REQUEST_H_
#define WORMHOLE_RELAY_SWITCHBOARD_OPEN_REQUEST_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::relay {

// Cursors and numbers beyond this are refused, so that every store can hold them.
inline constexpr uint64_t kMaxNumber = INT64_MAX;

struct OpenRequest {
  enum class Purpose { kAllocate, kClaim, kResume };

  std::string app_id;
  std::string side;  // 16 bytes, derived from the token
  uint64_t cursor = 0;
  Purpose purpose = Purpose::kResume;
  uint32_t channel_id = 0;  // 0 with kAllocate: draw one
  // kAllocate.
  absl::Duration ttl;  // zero: the default
  int min_digits = 0;
  // kClaim.
  bool wait = false;
};

// INVALID_ARGUMENT (MALFORMED, which names the field) when anything is not as the protocol says.
// Wipes the token from `open` in any case.
absl::StatusOr<OpenRequest> ParseOpen(rendezvous::v1::Open& open);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_OPEN_REQUEST_H_
