#include "client/cli/saved_session.h"

#include "absl/status/status.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kPlainLine = "wormhole-sync state 1\n";
constexpr std::string_view kVerifyLine = "wormhole-sync state 1 verify\n";

}  // namespace

std::string EncodeSession(const SavedSession& session) {
  return std::string(session.verify ? kVerifyLine : kPlainLine) + session.state;
}

absl::StatusOr<SavedSession> DecodeSession(std::string_view text) {
  for (std::string_view line : {kPlainLine, kVerifyLine}) {
    if (text.substr(0, line.size()) != line) continue;
    return SavedSession{.verify = line == kVerifyLine,
                        .state = std::string(text.substr(line.size()))};
  }
  return absl::InvalidArgumentError("it is no state file of this version of wormhole-sync");
}

}  // namespace wormhole::cli
