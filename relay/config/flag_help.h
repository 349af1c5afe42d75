// What wormhole-relay prints about its flags. Pure.
#ifndef WORMHOLE_RELAY_CONFIG_FLAG_HELP_H_
#define WORMHOLE_RELAY_CONFIG_FLAG_HELP_H_

#include <string>

#include "relay/config/flags.h"

namespace wormhole::relay {

// What --help prints: every flag with its unit, range and default.
std::string HelpText();

// What --print-config prints: a flag file that sets every flag to the value in effect, with a
// comment that says where the value comes from. An empty flag is a comment.
std::string PrintConfig(const CommandLine& line);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_FLAG_HELP_H_
