#include "proto/wire/app_id.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "proto/wire/utf8.h"

namespace wormhole::wire {
namespace {

bool IsControl(uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
}

}  // namespace

absl::Status CheckAppId(std::string_view app_id) {
  if (app_id.empty()) {
    return absl::InvalidArgumentError("the app-id is empty; name one, such as example.com/app1");
  }
  if (app_id.size() > kMaxAppIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the app-id has ", app_id.size(), " bytes; use at most ", kMaxAppIdBytes));
  }
  while (!app_id.empty()) {
    const std::optional<uint32_t> code_point = TakeCodePoint(app_id);
    if (!code_point.has_value()) {
      return absl::InvalidArgumentError("the app-id is not valid UTF-8; encode it as UTF-8");
    }
    if (IsControl(*code_point)) {
      return absl::InvalidArgumentError("the app-id has a control character; remove it");
    }
  }
  return absl::OkStatus();
}

}  // namespace wormhole::wire
