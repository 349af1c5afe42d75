#include "relay/inspection/page_token.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/app_id.h"

namespace wormhole::relay {
namespace {

// The longest app-id with an id before it is a third shorter.
constexpr size_t kMaxTokenBytes = 512;

}  // namespace

std::string WritePageToken(const ChannelKey& last) {
  return absl::WebSafeBase64Escape(absl::StrCat(last.id, "/", last.app_id));
}

std::optional<ChannelKey> ReadPageToken(std::string_view token) {
  std::string text;
  if (token.size() > kMaxTokenBytes ||
      !absl::WebSafeBase64Unescape(absl::string_view(token.data(), token.size()), &text)) {
    return std::nullopt;
  }
  const size_t slash = text.find('/');
  ChannelKey last;
  if (slash == std::string::npos || !absl::SimpleAtoi(text.substr(0, slash), &last.id) ||
      last.id > kMaxChannelId) {
    return std::nullopt;
  }
  last.app_id = text.substr(slash + 1);
  // There is one way to write each: blanks, signs, padding and leading zeros are not it.
  if (!wire::CheckAppId(last.app_id).ok() || WritePageToken(last) != token) return std::nullopt;
  return last;
}

}  // namespace wormhole::relay
