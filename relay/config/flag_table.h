// The table of flags; see flags.h, which reads it.
#ifndef WORMHOLE_RELAY_CONFIG_FLAG_TABLE_H_
#define WORMHOLE_RELAY_CONFIG_FLAG_TABLE_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "relay/config/config.h"

namespace wormhole::relay {

struct Flag {
  std::string_view name;   // without dashes
  std::string_view value;  // how help shows the value; empty: a switch
  std::string_view group;
  std::string_view help;  // sentences; flag_help wraps them
  // INVALID_ARGUMENT says what the value should be.
  absl::Status (*read)(std::string_view text, RelayConfig& config);
  // The value as text, which `read` takes back. Of RelayConfig{} it is the default.
  std::string (*write)(const RelayConfig& config);
};

struct FlagGroup {
  std::string_view name;
  std::string_view about;  // sentences
};

std::span<const Flag> Flags();
// In the order of help. Every flag belongs to one of them.
std::span<const FlagGroup> FlagGroups();

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_FLAG_TABLE_H_
