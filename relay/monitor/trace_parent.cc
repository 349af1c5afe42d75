#include "relay/monitor/trace_parent.h"

#include <cstddef>

namespace wormhole::relay {
namespace {

// VERSION-TRACE_ID-PARENT_ID-FLAGS
constexpr size_t kVersionDigits = 2;
constexpr size_t kTraceDigits = 32;
constexpr size_t kParentDigits = 16;
constexpr size_t kFlagDigits = 2;

// Takes `digits` hexadecimal digits off the front; empty when they are not there.
std::string_view TakeHex(std::string_view& text, size_t digits) {
  const std::string_view part = text.substr(0, digits);
  if (part.size() < digits ||
      part.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return {};
  }
  text.remove_prefix(digits);
  return part;
}

bool TakeDash(std::string_view& text) {
  if (!text.starts_with('-')) return false;
  text.remove_prefix(1);
  return true;
}

bool AllZero(std::string_view digits) {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::optional<TraceParent> ReadTraceParent(std::string_view header) {
  const std::string_view version = TakeHex(header, kVersionDigits);
  if (version.empty() || version == "ff" || !TakeDash(header)) return std::nullopt;
  const std::string_view trace_id = TakeHex(header, kTraceDigits);
  if (AllZero(trace_id) || !TakeDash(header)) return std::nullopt;
  const std::string_view parent_id = TakeHex(header, kParentDigits);
  if (AllZero(parent_id) || !TakeDash(header)) return std::nullopt;
  if (TakeHex(header, kFlagDigits).empty()) return std::nullopt;
  const bool ends_well = header.empty() || (version != "00" && header.starts_with('-'));
  if (!ends_well) return std::nullopt;
  return TraceParent{.trace_id = trace_id, .parent_id = parent_id};
}

}  // namespace wormhole::relay
