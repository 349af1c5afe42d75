#include "client/cli/line_editor.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "client/cli/code_completion.h"

namespace wormhole::cli {
namespace {

// Longer than any code that is taken.
constexpr size_t kMaxBytes = 160;

constexpr char kCtrlD = 0x04;
constexpr char kBackspace = 0x08;
constexpr char kCtrlU = 0x15;
constexpr char kCtrlW = 0x17;
constexpr char kEscapeKey = 0x1b;
constexpr char kDelete = 0x7f;

}  // namespace

LineEditor::Outcome LineEditor::Feed(char byte) {
  if (InEscape(byte)) return Outcome::kNothing;
  switch (byte) {
    case '\r':
    case '\n':
      return Outcome::kAccepted;
    case '\t':
      return Complete();
    case kCtrlD:
      return text_.empty() ? Outcome::kEnded : Outcome::kRefused;
    case kBackspace:
    case kDelete:
      return Truncate(text_.empty() ? 0 : text_.size() - 1);
    case kCtrlU:
      return Truncate(0);
    case kCtrlW: {
      // The last word with the hyphen before it.
      const size_t hyphen = text_.rfind('-');
      return Truncate(hyphen == std::string::npos ? 0 : hyphen);
    }
    default:
      return Append(byte == ' ' ? '-' : absl::ascii_tolower(static_cast<unsigned char>(byte)));
  }
}

// Arrow keys and the like are ESC, [ or O, parameters, and a final byte.
bool LineEditor::InEscape(char byte) {
  switch (escape_) {
    case Escape::kNone:
      if (byte == kEscapeKey) escape_ = Escape::kBegun;
      return byte == kEscapeKey;
    case Escape::kBegun:
      escape_ = byte == '[' || byte == 'O' ? Escape::kSequence : Escape::kNone;
      return true;
    case Escape::kSequence:
      if (byte >= 0x40 && byte <= 0x7e) escape_ = Escape::kNone;
      return true;
  }
  return false;
}

LineEditor::Outcome LineEditor::Append(char byte) {
  const bool usable = absl::ascii_isdigit(static_cast<unsigned char>(byte)) ||
                      absl::ascii_islower(static_cast<unsigned char>(byte)) || byte == '-';
  if (!usable || text_.size() >= kMaxBytes) return Outcome::kRefused;
  text_ += byte;
  return Outcome::kChanged;
}

LineEditor::Outcome LineEditor::Truncate(size_t size) {
  if (size == text_.size()) return Outcome::kRefused;
  text_.resize(size);
  return Outcome::kChanged;
}

LineEditor::Outcome LineEditor::Complete() {
  Completion completion = CompleteCode(text_);
  candidates_ = completion.candidates;
  if (!candidates_.empty()) return Outcome::kCandidates;
  if (completion.text == text_) return Outcome::kRefused;
  text_ = completion.text;
  return Outcome::kChanged;
}

}  // namespace wormhole::cli
