#include "client/cli/escape_for_terminal.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace wormhole::cli {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// What is not shown as it is, beyond ASCII. Sources: Unicode general categories Cc, Cf, Co, Cn
// (noncharacters), Zl and Zp, and Default_Ignorable_Code_Point.
constexpr Range kHidden[] = {
    {0x0080, 0x009f},  // C1 controls: 8-bit terminals take 9b for an escape sequence
    {0x00ad, 0x00ad},  // soft hyphen
    {0x034f, 0x034f},  // combining grapheme joiner
    {0x0600, 0x0605},  // prepended Arabic marks
    {0x061c, 0x061c},  // Arabic letter mark
    {0x06dd, 0x06dd},   {0x070f, 0x070f},    {0x0890, 0x0891},   {0x08e2, 0x08e2},
    {0x115f, 0x1160},                                           // Hangul fillers
    {0x17b4, 0x17b5},   {0x180b, 0x180f},    {0x200b, 0x200f},  // zero width, direction marks
    {0x2028, 0x202e},                      // separators, embeddings and overrides
    {0x2060, 0x206f},                      // isolates, invisible operators
    {0x3164, 0x3164},   {0xe000, 0xf8ff},  // private use
    {0xfdd0, 0xfdef},                      // noncharacters
    {0xfe00, 0xfe0f},                      // variation selectors
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},    {0xfff0, 0xfffb},   {0xfffe, 0xffff},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd},  {0x13430, 0x1345f}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},  // tags, private planes
};

bool IsHidden(uint32_t point) {
  if ((point & 0xfffe) == 0xfffe) return true;
  for (const Range& range : kHidden) {
    if (point >= range.first && point <= range.last) return true;
  }
  return false;
}

// The length of the valid UTF-8 sequence of more than one byte that `bytes` begins with, and its
// code point; 0 when there is none (RFC 3629: no overlong forms, surrogates, or past U+10FFFF).
size_t DecodeMultibyte(std::string_view bytes, uint32_t& point) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return 0;
  point = lead & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(bytes[i]);
    if ((next & 0xc0) != 0x80) return 0;
    point = (point << 6) | (next & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < kSmallest[length] || surrogate || point > 0x10ffff ? 0 : length;
}

void AppendAscii(char c, Lines lines, std::string& out) {
  const bool layout = c == '\n' || c == '\t';
  if (layout && lines == Lines::kEscape) {
    out += c == '\n' ? "\\n" : "\\t";
  } else if ((c >= 0x20 && c < 0x7f) || layout) {
    out += c;
  } else {
    absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::string EscapeForTerminal(std::string_view bytes, Lines lines, Charset charset) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      AppendAscii(bytes[i++], lines, out);
      continue;
    }
    uint32_t point = 0;
    const size_t length = DecodeMultibyte(bytes.substr(i), point);
    if (length == 0) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(bytes[i++]));
      continue;
    }
    if (charset == Charset::kAscii || IsHidden(point)) {
      absl::StrAppendFormat(&out, "\\u{%x}", point);
    } else {
      out.append(bytes.substr(i, length));
    }
    i += length;
  }
  return out;
}

}  // namespace wormhole::cli
