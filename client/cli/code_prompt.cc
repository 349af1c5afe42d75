#include "client/cli/code_prompt.h"

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/line_editor.h"
#include "client/cli/neutralise.h"
#include "client/core/code.h"
#include "client/core/outcome.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kQuestion = "Code of the other side (Tab completes words): ";
constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr std::string_view kBell = "\a";

// OK and the code in its usual form, or what is wrong with it in one harmless line.
absl::StatusOr<std::string> Check(std::string_view text, bool allow_other_words) {
  absl::StatusOr<core::Code> code = core::ParseCode(text, allow_other_words);
  if (code.ok()) return code->ToString();
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                       std::string(code.status().message()));
}

absl::StatusOr<std::string> ReadPlainLine(const Asker& asker, Interrupt& interrupt) {
  LineReader reader(asker.input());
  while (true) {
    absl::StatusOr<LineReader::State> state = reader.ReadByte(interrupt);
    if (!state.ok()) return state.status();
    if (*state == LineReader::State::kMore) continue;
    if (*state == LineReader::State::kLine || !reader.line().empty()) return reader.line();
    return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                         "standard input has no code; write it as the first line, or give it on "
                         "the command line");
  }
}

void Redraw(const Asker& asker, const LineEditor& editor) {
  asker.Write(absl::StrCat(std::string(kEraseLine), std::string(kQuestion), editor.text()));
}

void ShowCandidates(const Asker& asker, const LineEditor& editor) {
  std::string list = "\r\n";
  for (std::string_view word : editor.candidates()) list.append(word).append("  ");
  asker.Write(list + "\r\n");
  Redraw(asker, editor);
}

// One line; CANCELLED on Ctrl-D.
absl::StatusOr<std::string> EditLine(const Asker& asker, Interrupt& interrupt) {
  LineEditor editor;
  Redraw(asker, editor);
  while (true) {
    char key = 0;
    absl::StatusOr<size_t> count = ReadSome(asker.input(), &key, 1, interrupt);
    if (!count.ok()) return count.status();
    switch (*count == 0 ? LineEditor::Outcome::kEnded : editor.Feed(key)) {
      case LineEditor::Outcome::kNothing:
        break;
      case LineEditor::Outcome::kChanged:
        Redraw(asker, editor);
        break;
      case LineEditor::Outcome::kRefused:
        asker.Write(kBell);
        break;
      case LineEditor::Outcome::kCandidates:
        ShowCandidates(asker, editor);
        break;
      case LineEditor::Outcome::kAccepted:
        return editor.text();
      case LineEditor::Outcome::kEnded:
        return core::Failure(Reason::kCancelled, absl::StatusCode::kCancelled, "no code given");
    }
  }
}

}  // namespace

absl::StatusOr<std::string> AskForCode(const Asker& asker, bool allow_other_words,
                                       Interrupt& interrupt) {
  if (!asker.terminal()) {
    absl::StatusOr<std::string> line = ReadPlainLine(asker, interrupt);
    return line.ok() ? Check(*line, allow_other_words) : line;
  }
  KeyMode keys(asker.input());
  while (true) {
    absl::StatusOr<std::string> line = EditLine(asker, interrupt);
    asker.Write("\r\n");
    if (!line.ok()) return line;
    absl::StatusOr<std::string> code = Check(*line, allow_other_words);
    if (code.ok()) return code;
    asker.Write(
        absl::StrCat(Neutralise(std::string(code.status().message()), Lines::kEscape), "\r\n"));
  }
}

}  // namespace wormhole::cli
