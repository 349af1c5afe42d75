#include "client/cli/relay_message.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cli/neutralise.h"

namespace wormhole::cli {
namespace {

constexpr char kPrefix[] = "The relay says: ";
constexpr size_t kRowColumns = 70 - (sizeof(kPrefix) - 1);
constexpr size_t kMaxCharacters = 500;

// How many bytes of `text`, which is UTF-8, fit into `room` when each character beyond ASCII takes
// up `wide`.
size_t FittingBytes(std::string_view text, size_t room, size_t wide) {
  size_t used = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) == 0x80) continue;
    used += byte < 0x80 ? 1 : wide;
    if (used > room) return i;
  }
  return text.size();
}

// Where the first row of `text` ends: at a space if there is one.
size_t RowEnd(std::string_view text) {
  // Some characters beyond ASCII are two columns wide; a row may be shorter than it could be, never
  // longer.
  const size_t fitting = FittingBytes(text, kRowColumns, 2);
  if (fitting == text.size()) return fitting;
  const size_t space = text.rfind(' ', fitting);
  return space == std::string_view::npos ? fitting : space;
}

}  // namespace

std::string RelayMessage(std::string_view text) {
  const std::string harmless = Neutralise(text, Lines::kEscape);
  std::string squeezed = absl::StrJoin(absl::StrSplit(harmless, ' ', absl::SkipEmpty()), " ");
  if (const size_t end = FittingBytes(squeezed, kMaxCharacters, 1); end < squeezed.size()) {
    squeezed = absl::StrCat(squeezed.substr(0, end), "...");
  }
  std::string rows;
  for (std::string_view rest = squeezed; !rest.empty();) {
    const size_t end = RowEnd(rest);
    absl::StrAppend(&rows, rows.empty() ? "" : "\n", kPrefix, std::string(rest.substr(0, end)));
    rest.remove_prefix(end);
    if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  }
  return rows;
}

}  // namespace wormhole::cli
