// One line with a code, edited key by key. Pure: the terminal is code_prompt's.
#ifndef WORMHOLE_CLIENT_CLI_LINE_EDITOR_H_
#define WORMHOLE_CLIENT_CLI_LINE_EDITOR_H_

#include <string>
#include <string_view>
#include <vector>

namespace wormhole::cli {

class LineEditor {
 public:
  enum class Outcome {
    kNothing,     // part of an escape sequence, or a separator too many
    kChanged,     // text() is another
    kRefused,     // a key that means nothing here
    kCandidates,  // Tab, and candidates() says what there is to choose from
    kAccepted,    // Enter
    kEnded,       // Ctrl-D on an empty line
  };

  // One byte from the keyboard or of what was pasted, whatever it is. Backspace, Ctrl-U and Ctrl-W
  // delete; Tab completes, and shows the code as the parser understands it. Keeps all that has a
  // meaning in a text, since the parser of codes decides what counts. Folds letters to lower case,
  // and shows a space, as people say codes, as the hyphen that it means.
  Outcome Feed(char byte);

  // What was typed, or a shorter text of which the parser makes the same code.
  const std::string& text() const { return text_; }
  const std::vector<std::string_view>& candidates() const { return candidates_; }

 private:
  enum class Escape { kNone, kBegun, kSequence };

  bool InEscape(char byte);
  Outcome Append(char byte);
  Outcome Truncate(size_t size);
  Outcome Complete();

  std::string text_;
  std::vector<std::string_view> candidates_;
  Escape escape_ = Escape::kNone;
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_LINE_EDITOR_H_
