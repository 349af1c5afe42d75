#include "relay/config.h"

#include "absl/strings/str_cat.h"
#include "relay/flag_values.h"

namespace wormhole::relay {

absl::Status Validate(const RelayConfig& config) {
  const ChannelLimits& limits = config.limits;
  if (limits.ttl_default > limits.ttl_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("--channel-ttl-default (", WriteDuration(limits.ttl_default),
                     ") is longer than --channel-ttl-max (", WriteDuration(limits.ttl_max), ")"));
  }
  if (limits.window_bytes < limits.max_frame_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("--window-bytes (", limits.window_bytes,
                                                   ") has no room for a frame of "
                                                   "--max-frame-bytes (",
                                                   limits.max_frame_bytes, ")"));
  }
  if (config.tls.cert.empty() != config.tls.key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key are given both or not at all");
  }
  if (!config.tls.client_ca.empty() && !config.tls.enabled()) {
    return absl::InvalidArgumentError("--tls-client-ca needs --tls-cert and --tls-key");
  }
  return absl::OkStatus();
}

}  // namespace wormhole::relay
