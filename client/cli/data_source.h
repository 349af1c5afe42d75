// Where the data for the other side comes from.
#ifndef WORMHOLE_CLIENT_CLI_DATA_SOURCE_H_
#define WORMHOLE_CLIENT_CLI_DATA_SOURCE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/arguments.h"
#include "client/cli/console.h"
#include "client/cli/interrupt.h"

namespace wormhole::cli {

// Reads `fd` to its end. OUT_OF_RANGE as soon as there are more than `limit` bytes: keeps no more
// than `limit` + 1. Interrupted() on a signal.
absl::StatusOr<std::string> ReadUpTo(int fd, size_t limit, Interrupt& interrupt);

// A whole file of at most `limit` bytes. INVALID_ARGUMENT, with the option's name and the path in
// the message, for a folder, and for what cannot be read.
absl::StatusOr<std::string> ReadFile(std::string_view option, const std::string& path, size_t limit,
                                     Interrupt& interrupt);

// The data that `arguments` name: --data, --file, or standard input, with a hint when that is a
// terminal. INVALID_ARGUMENT when it cannot be read or is over 65,000 bytes.
absl::StatusOr<std::string> ReadData(const Arguments& arguments, Console& console,
                                     Interrupt& interrupt);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_DATA_SOURCE_H_
