#include "client/cli/saved_session.h"

#include <string>
#include <utility>

#include "absl/status/status.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kPlainLine = "wormhole-sync state 1\n";
constexpr std::string_view kVerifyLine = "wormhole-sync state 1 verify\n";

}  // namespace

SecretText EncodeSession(const SavedSession& session) {
  const std::string_view line = session.verify ? kVerifyLine : kPlainLine;
  std::string text;
  // At once: a string that grows leaves copies behind.
  text.reserve(line.size() + session.state.size());
  return SecretText(std::move(text.append(line).append(session.state)));
}

absl::StatusOr<SavedSession> DecodeSession(std::string_view text) {
  for (std::string_view line : {kPlainLine, kVerifyLine}) {
    if (text.substr(0, line.size()) != line) continue;
    return SavedSession{.verify = line == kVerifyLine, .state = text.substr(line.size())};
  }
  return absl::InvalidArgumentError("it is no state file of this version of wormhole-sync");
}

}  // namespace wormhole::cli
