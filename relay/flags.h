// The command line and the environment of wormhole-relay.
//
// One table holds every flag: its name, group, unit, range, default and help. The name of its
// environment twin follows from the flag's: --channel-ttl-max is WORMHOLE_RELAY_CHANNEL_TTL_MAX.
// The command line wins over the environment.
#ifndef WORMHOLE_RELAY_FLAGS_H_
#define WORMHOLE_RELAY_FLAGS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "relay/config.h"

namespace wormhole::relay {

struct CommandLine {
  RelayConfig config;
  bool help = false;  // with either of these, `config` is not to be used
  bool version = false;
};

// The value of an environment variable, if it is set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Reads `args` (without the program's name) as `--name=value` or `--name value`; a switch may stand
// alone (`--reflection`). An empty environment variable counts as not set, as in a compose file
// that names it without a value. Variables that belong to no flag are left alone: Kubernetes puts
// its own into every pod, WORMHOLE_RELAY_PORT for a service of that name.
// INVALID_ARGUMENT, with one line for people, for an unknown flag or a value that won't do.
absl::StatusOr<CommandLine> ReadCommandLine(const std::vector<std::string>& args,
                                            const Environment& environment);

// What --help prints.
std::string HelpText();

// The name of the environment twin of the flag `name`, given without dashes.
std::string EnvironmentTwin(std::string_view name);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_FLAGS_H_
