#include "client/cli/input_row.h"

#include <algorithm>

#include "client/cli/escape_for_terminal.h"
#include "client/cli/rows.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kQuestion = "Code of the other side (Tab completes words): ";
constexpr std::string_view kShortQuestion = "Code: ";
// Two long words.
constexpr size_t kLeastRoom = 24;
// Narrower terminals count as this wide.
constexpr size_t kLeastColumns = 8;
constexpr std::string_view kCut = "<";

}  // namespace

std::string InputRow(std::string_view typed, size_t columns, Charset charset) {
  columns = std::max(columns, kLeastColumns);
  std::string_view question = kQuestion;
  if (columns < question.size() + kLeastRoom) question = kShortQuestion.substr(0, columns / 2);
  const size_t room = columns - question.size();
  const std::string text = EscapeForTerminal(typed, Lines::kEscape, charset);
  std::string row(question);
  if (FittingBytes(text, room) == text.size()) return row.append(text);
  row.append(kCut);
  return row.append(text.substr(FittingTail(text, room - kCut.size())));
}

}  // namespace wormhole::cli
