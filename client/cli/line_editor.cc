#include "client/cli/line_editor.h"

#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "client/cli/code_completion.h"
#include "client/core/code.h"
#include "client/core/typed_code.h"

namespace wormhole::cli {
namespace {

constexpr char kCtrlD = 0x04;
constexpr char kBackspace = 0x08;
constexpr char kCtrlU = 0x15;
constexpr char kCtrlW = 0x17;
constexpr char kEscapeKey = 0x1b;
constexpr char kDelete = 0x7f;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20; }

// Whether `text` has only characters of a code in its canonical form.
bool IsPlain(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
}

// Where the last character of `text` begins.
size_t LastCharacter(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0) {
    const auto byte = static_cast<unsigned char>(text[--begin]);
    if ((byte & 0xc0) != 0x80) break;
  }
  return begin;
}

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
      return Truncate(LastCharacter(text_));
    case kCtrlU:
      return Truncate(0);
    case kCtrlW: {
      // The last word with the hyphen before it.
      const size_t hyphen = text_.rfind('-');
      return Truncate(hyphen == std::string::npos ? 0 : hyphen);
    }
    default:
      return Append(absl::ascii_tolower(static_cast<unsigned char>(byte)));
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
  if (IsControl(byte) || text_.size() >= core::kMaxTypedCodeBytes) return Outcome::kRefused;
  if ((byte == ' ' || byte == '-') && IsPlain(text_)) {
    // Also behind the hyphen that Tab has set.
    if (text_.empty() || text_.back() == '-') return Outcome::kNothing;
    byte = '-';
  }
  text_ += byte;
  return Outcome::kChanged;
}

LineEditor::Outcome LineEditor::Truncate(size_t size) {
  if (size == text_.size()) return Outcome::kRefused;
  text_.resize(size);
  return Outcome::kChanged;
}

LineEditor::Outcome LineEditor::Complete() {
  const std::optional<std::string> understood = core::NormalizeUnfinishedCode(text_);
  if (!understood.has_value()) return Outcome::kRefused;
  Completion completion = CompleteCode(*understood);
  candidates_ = completion.candidates;
  const bool changed = completion.text != text_;
  text_ = completion.text;
  if (!candidates_.empty()) return Outcome::kCandidates;
  return changed ? Outcome::kChanged : Outcome::kRefused;
}

}  // namespace wormhole::cli
