#include "client/cli/rows.h"

#include <algorithm>

namespace wormhole::cli {
namespace {

// Narrower terminals count as this wide.
constexpr size_t kLeastColumns = 8;

bool Continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
size_t Width(char first) { return static_cast<unsigned char>(first) < 0x80 ? 1 : 2; }

// Where the first row of `text` ends: at a space if there is one.
size_t RowEnd(std::string_view text, size_t room) {
  const size_t fitting = FittingBytes(text, room);
  if (fitting == text.size()) return fitting;
  const size_t space = text.rfind(' ', fitting);
  return space == std::string_view::npos || space == 0 ? fitting : space;
}

}  // namespace

size_t FittingBytes(std::string_view text, size_t columns) {
  size_t used = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (Continues(text[i])) continue;
    used += Width(text[i]);
    if (used > columns) return i;
  }
  return text.size();
}

size_t FittingTail(std::string_view text, size_t columns) {
  size_t begin = text.size();
  size_t used = 0;
  for (size_t i = text.size(); i > 0; --i) {
    if (Continues(text[i - 1])) continue;
    used += Width(text[i - 1]);
    if (used > columns) break;
    begin = i - 1;
  }
  return begin;
}

std::string InRows(std::string_view text, std::string_view first, std::string_view next,
                   size_t columns) {
  columns = std::max(columns, kLeastColumns);
  std::string rows;
  do {
    std::string_view prefix = rows.empty() ? first : next;
    prefix = prefix.substr(0, columns / 2);
    const size_t end = RowEnd(text, columns - prefix.size());
    if (!rows.empty()) rows += '\n';
    rows.append(prefix).append(text.substr(0, end));
    text.remove_prefix(end);
    if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  } while (!text.empty());
  return rows;
}

}  // namespace wormhole::cli
