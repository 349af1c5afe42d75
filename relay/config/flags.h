// The command line, the environment and the flag file of wormhole-relay.
//
// One table holds every flag: its name, group, unit, range, default and help. The name of its
// environment twin follows from the flag's: --channel-ttl-max is WORMHOLE_RELAY_CHANNEL_TTL_MAX.
// The command line wins over the environment, and that over the file of --flagfile.
#ifndef WORMHOLE_RELAY_CONFIG_FLAGS_H_
#define WORMHOLE_RELAY_CONFIG_FLAGS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "relay/config/config.h"

namespace wormhole::relay {

struct CommandLine {
  RelayConfig config;
  // Where each value comes from, by the flag's name: `command line`, `WORMHOLE_RELAY_LISTEN`,
  // `relay.flags:3`. A flag that is not here has its default.
  std::map<std::string, std::string, std::less<>> origins;
  bool help = false;  // with either of these, `config` is not to be used
  bool version = false;
  bool print_config = false;
};

// The value of an environment variable, if it is set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// What is in a file; an error says why it cannot be read, without its name (LoadFlagFile).
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// Reads `args` (without the program's name) as `--name=value` or `--name value`; a switch may stand
// alone (`--reflection`). An empty environment variable counts as not set, as in a compose file
// that names it without a value. Variables that belong to no flag are no error: Kubernetes puts its
// own into every pod, WORMHOLE_RELAY_PORT for a service of that name.
// It does not check a value that another one wins over. INVALID_ARGUMENT, with one line for people,
// for an unknown flag, one that is given twice, a value that won't do, and values that contradict
// each other.
absl::StatusOr<CommandLine> ReadCommandLine(const std::vector<std::string>& args,
                                            const Environment& environment,
                                            const FileReader& read_file);

// The name of the environment twin of the flag `name`, given without dashes.
std::string EnvironmentTwin(std::string_view name);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_FLAGS_H_
