#include "relay/store/store_away.h"

#include "absl/time/time.h"
#include "proto/error/error_detail.h"

namespace wormhole::relay {

absl::Status StoreAway(std::string_view message) {
  return error::Make(error::ErrorDetail::REASON_STORE_AWAY, message,
                     {.retry_delay = absl::Seconds(1)});
}

}  // namespace wormhole::relay
