#include "client/core/typed_code.h"

#include <cstddef>
#include <cstdint>

#include "proto/wire/utf8.h"

namespace wormhole::core {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// White space, and whatever people or their programs put for a hyphen.
constexpr Range kSeparators[] = {
    {0x0009, 0x000d}, {0x0020, 0x0020}, {',', '.'},       {'_', '_'},       {0x0085, 0x0085},
    {0x00a0, 0x00a0}, {0x00ad, 0x00ad}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2010, 0x2015},
    {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2212, 0x2212}, {0x3000, 0x3000},
    {0xfe58, 0xfe58}, {0xfe63, 0xfe63},
};

// What nobody sees: zero width, direction marks, joiners, the byte order mark.
constexpr Range kInvisible[] = {
    {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064}, {0x2066, 0x2069}, {0xfeff, 0xfeff},
};

// Quotes, brackets and the ends of sentences: what stands around a code in a text.
constexpr Range kWrapping[] = {
    {'!', '"'},       {'\'', ')'},      {';', '<'},       {'>', '?'},
    {'[', '['},       {']', ']'},       {'`', '`'},       {'{', '{'},
    {'}', '}'},       {0x00ab, 0x00ab}, {0x00b4, 0x00b4}, {0x00bb, 0x00bb},
    {0x2018, 0x201f}, {0x2032, 0x2033}, {0x2039, 0x203a}, {0x3008, 0x3011},
};

constexpr char kAnySeparator = '-';
constexpr char kAnyWrapping = '"';

template <size_t N>
bool In(const Range (&ranges)[N], uint32_t point) {
  for (const Range& range : ranges) {
    if (point >= range.first && point <= range.last) return true;
  }
  return false;
}

bool GoesAtAnEnd(char c) { return c == kAnySeparator || c == kAnyWrapping; }

// Full width becomes ASCII, upper case lower case; other alphabets stay as they are.
uint32_t Plain(uint32_t point) {
  if (point >= 0xff01 && point <= 0xff5e) point -= 0xfee0;
  if (point >= 'A' && point <= 'Z') point += 'a' - 'A';
  return point;
}

// What is seen, with one hyphen for each run of separators and one kind of quote for all wrapping.
// None when `typed` is no UTF-8.
std::optional<std::string> ReadVisible(std::string_view typed) {
  std::string text;
  text.reserve(typed.size());
  while (!typed.empty()) {
    const std::string_view before = typed;
    const std::optional<uint32_t> verdict = wire::TakeCodePoint(typed);
    if (!verdict.has_value()) return std::nullopt;
    const uint32_t point = Plain(*verdict);
    if (In(kInvisible, point)) continue;
    if (In(kSeparators, point)) {
      if (text.empty() || text.back() != kAnySeparator) text += kAnySeparator;
    } else if (In(kWrapping, point)) {
      text += kAnyWrapping;
    } else if (point < 0x80) {
      text += static_cast<char>(point);
    } else {
      text += before.substr(0, before.size() - typed.size());
    }
  }
  return text;
}

// "Invitation code: 4-...". A label has no digit; what has one may be the code itself.
void DropLabel(std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || text.find_first_of("0123456789") < colon) return;
  text.erase(0, colon + 1);
}

// Also drops the zeros before a number. A number of zeros alone goes as a whole: it is none.
void TrimBeginning(std::string& text) {
  size_t begin = 0;
  while (begin < text.size() && GoesAtAnEnd(text[begin])) ++begin;
  while (begin < text.size() && text[begin] == '0') ++begin;
  text.erase(0, begin);
}

}  // namespace

std::optional<std::string> NormalizeUnfinishedCode(std::string_view typed) {
  std::optional<std::string> text = ReadVisible(typed);
  if (!text.has_value()) return std::nullopt;
  DropLabel(*text);
  TrimBeginning(*text);
  return text;
}

std::optional<std::string> NormalizeCode(std::string_view typed) {
  std::optional<std::string> text = NormalizeUnfinishedCode(typed);
  if (!text.has_value()) return std::nullopt;
  while (!text->empty() && GoesAtAnEnd(text->back())) text->pop_back();
  return text;
}

}  // namespace wormhole::core
