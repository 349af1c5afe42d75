#include "client/cli/code_prompt.h"

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/escape_for_terminal.h"
#include "client/cli/input_row.h"
#include "client/cli/line_editor.h"
#include "client/cli/rows.h"
#include "client/core/code.h"
#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr std::string_view kBell = "\a";

// OK and the code in its usual form, or what is wrong with it in one harmless line.
absl::StatusOr<std::string> Check(std::string_view text, bool allow_other_words) {
  absl::StatusOr<core::Code> code = core::ParseCode(text, allow_other_words);
  if (code.ok()) return code->ToString();
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                       std::string(code.status().message()));
}

// Says what ended the reading of the code. The status of a signal or the deadline says so already.
absl::Status Explain(const absl::Status& status) {
  if (ReasonOf(status) != Reason::kNone) return status;
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                       absl::StrCat("cannot read the code from standard input: ", status.message(),
                                    "; give it on the command line"));
}

absl::StatusOr<std::string> ReadPlainLine(const Asker& asker, Interrupt& interrupt) {
  LineReader reader(asker.input());
  while (true) {
    absl::StatusOr<LineReader::State> state = reader.ReadByte(interrupt);
    if (!state.ok()) return Explain(state.status());
    if (*state == LineReader::State::kMore) continue;
    if (*state == LineReader::State::kLine || !reader.line().empty()) return reader.line();
    return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                         "standard input has no code; write it as the first line, or give it on "
                         "the command line");
  }
}

// Asks on a terminal.
class CodeQuestion {
 public:
  CodeQuestion(const Asker& asker, Charset charset, Interrupt& interrupt)
      : asker_(asker), charset_(charset), interrupt_(interrupt) {}

  // One line; CANCELLED on Ctrl-D.
  absl::StatusOr<std::string> EditLine() {
    LineEditor editor;
    Redraw(editor);
    while (true) {
      char key = 0;
      absl::StatusOr<size_t> count = ReadSome(asker_.input(), &key, 1, interrupt_);
      if (!count.ok()) return count.status();
      // At each key, or keys that keep coming would outlast the deadline.
      if (interrupt_.expired()) return TimedOut();
      switch (*count == 0 ? LineEditor::Outcome::kEnded : editor.Feed(key)) {
        case LineEditor::Outcome::kNothing:
          break;
        case LineEditor::Outcome::kChanged:
          Redraw(editor);
          break;
        case LineEditor::Outcome::kRefused:
          Write(kBell);
          break;
        case LineEditor::Outcome::kCandidates:
          ShowCandidates(editor);
          break;
        case LineEditor::Outcome::kAccepted:
          return editor.text();
        case LineEditor::Outcome::kEnded:
          return core::Failure(Reason::kCancelled, absl::StatusCode::kCancelled, "no code given");
      }
    }
  }

  void EndLine() { Write("\r\n"); }

  // What is wrong with the line.
  void Complain(std::string_view message) {
    Write(InRows(EscapeForTerminal(message, Lines::kEscape, charset_), "", "  ", asker_.columns()));
    EndLine();
  }

 private:
  void Redraw(const LineEditor& editor) {
    Write(
        absl::StrCat(std::string(kEraseLine), InputRow(editor.text(), asker_.columns(), charset_)));
  }

  void ShowCandidates(const LineEditor& editor) {
    std::string list;
    for (std::string_view word : editor.candidates()) {
      list.append(list.empty() ? "" : "  ").append(word);
    }
    EndLine();
    Write(InRows(list, "", "", asker_.columns()));
    EndLine();
    Redraw(editor);
  }

  void Write(std::string_view text) { asker_.Write(text, interrupt_); }

  const Asker& asker_;
  const Charset charset_;
  Interrupt& interrupt_;
};

}  // namespace

absl::StatusOr<std::string> AskForCode(const Asker& asker, bool allow_other_words, Charset charset,
                                       Interrupt& interrupt) {
  if (!asker.terminal()) {
    absl::StatusOr<std::string> line = ReadPlainLine(asker, interrupt);
    return line.ok() ? Check(*line, allow_other_words) : line;
  }
  KeyMode keys(asker.input());
  CodeQuestion question(asker, charset, interrupt);
  while (true) {
    absl::StatusOr<std::string> line = question.EditLine();
    question.EndLine();
    if (!line.ok()) return line;
    absl::StatusOr<std::string> code = Check(*line, allow_other_words);
    if (code.ok()) return code;
    question.Complain(std::string(code.status().message()));
  }
}

}  // namespace wormhole::cli
