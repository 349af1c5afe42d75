#include "proto/wire/utf8.h"

namespace wormhole::wire {
namespace {

// How many bytes the character starting with `lead` has and the lowest code point that needs as
// many (a lower one would be an overlong form); zero bytes for one that starts no character.
struct Form {
  size_t bytes;
  uint32_t lowest;
  uint32_t lead_bits;
};

Form FormOf(uint8_t lead) {
  if (lead < 0x80) return {1, 0, lead};
  if ((lead & 0xe0) == 0xc0) return {2, 0x80, lead & 0x1fu};
  if ((lead & 0xf0) == 0xe0) return {3, 0x800, lead & 0x0fu};
  if ((lead & 0xf8) == 0xf0) return {4, 0x10000, lead & 0x07u};
  return {0, 0, 0};
}

}  // namespace

std::optional<uint32_t> TakeCodePoint(std::string_view& text) {
  const Form form = FormOf(static_cast<uint8_t>(text.front()));
  if (form.bytes == 0 || form.bytes > text.size()) return std::nullopt;
  uint32_t code_point = form.lead_bits;
  for (size_t i = 1; i < form.bytes; ++i) {
    const uint8_t byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    code_point = (code_point << 6) | (byte & 0x3fu);
  }
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < form.lowest || code_point > 0x10ffff || surrogate) return std::nullopt;
  text.remove_prefix(form.bytes);
  return code_point;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (!TakeCodePoint(text).has_value()) return false;
  }
  return true;
}

}  // namespace wormhole::wire
