// Shows what a relay says to people so that nobody takes it for our own text. Pure.
#ifndef WORMHOLE_CLIENT_CLI_RELAY_MESSAGE_H_
#define WORMHOLE_CLIENT_CLI_RELAY_MESSAGE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "client/cli/charset.h"

namespace wormhole::cli {

// Rows of at most `columns`, and of at most 70, that each begin with `The relay says: `, without a
// line feed at the end: a relay that pads its text cannot make a row of the terminal look like one
// of ours. Runs of blanks count as one, and after 500 characters the rest is left out. Empty when
// `text` is blank.
std::string RelayMessage(std::string_view text, Charset charset, size_t columns);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_RELAY_MESSAGE_H_
