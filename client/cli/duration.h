// Durations as people write them on a command line. Pure.
#ifndef WORMHOLE_CLIENT_CLI_DURATION_H_
#define WORMHOLE_CLIENT_CLI_DURATION_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wormhole::cli {

// "30s", "5m", "1.5h", "3d", "500ms", or plain seconds: "30". Digits with at most one point, then a
// unit. INVALID_ARGUMENT for anything else, and above 366 days. Never negative or infinite.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_DURATION_H_
