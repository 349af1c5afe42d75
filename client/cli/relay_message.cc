#include "client/cli/relay_message.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cli/escape_for_terminal.h"
#include "client/cli/rows.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kPrefix = "The relay says: ";
constexpr size_t kMostColumns = 70;
constexpr size_t kMostCharacters = 500;

// How many bytes the first characters of `text` have.
size_t FirstCharacters(std::string_view text, size_t count) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins && count-- == 0) return i;
  }
  return text.size();
}

}  // namespace

std::string RelayMessage(std::string_view text, Charset charset, size_t columns) {
  const std::string harmless = EscapeForTerminal(text, Lines::kEscape, charset);
  std::string squeezed = absl::StrJoin(absl::StrSplit(harmless, ' ', absl::SkipEmpty()), " ");
  if (squeezed.empty()) return "";
  if (const size_t end = FirstCharacters(squeezed, kMostCharacters); end < squeezed.size()) {
    squeezed.resize(end);
    squeezed += "...";
  }
  return InRows(squeezed, kPrefix, kPrefix, std::min(columns, kMostColumns));
}

}  // namespace wormhole::cli
