// The file that --flagfile names.
//
//   # A comment is a line of its own, or stands behind a value in quotes.
//   listen=[::]:47180
//   --motd="two\nlines"  # C's escapes
//   admin-channelz
#ifndef WORMHOLE_RELAY_CONFIG_FLAG_FILE_H_
#define WORMHOLE_RELAY_CONFIG_FLAG_FILE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace wormhole::relay {

struct FlagLine {
  int number = 0;    // from 1
  std::string name;  // without dashes
  std::optional<std::string> value;
};

// The lines of a file that set something. The parser drops blanks around name and value, and a byte
// order mark at the head; an unquoted value is everything up to the end of its line.
// INVALID_ARGUMENT with `NUMBER: what is wrong`, in one line.
absl::StatusOr<std::vector<FlagLine>> ParseFlagFile(std::string_view text);

// `value` in quotes. ParseFlagFile reads it back.
std::string QuoteFlagValue(std::string_view value);

// What is in the file at `path`, at most 1 MiB. INVALID_ARGUMENT says why it cannot be read.
absl::StatusOr<std::string> LoadFlagFile(const std::string& path);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_FLAG_FILE_H_
