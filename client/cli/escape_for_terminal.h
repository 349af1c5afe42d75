// Makes bytes from others harmless for a terminal. Pure.
#ifndef WORMHOLE_CLIENT_CLI_ESCAPE_FOR_TERMINAL_H_
#define WORMHOLE_CLIENT_CLI_ESCAPE_FOR_TERMINAL_H_

#include <string>
#include <string_view>

#include "client/cli/charset.h"

namespace wormhole::cli {

enum class Lines {
  kKeep,    // line feeds and tabs stay
  kEscape,  // they are shown as \n and \t: the result is one line
};

// Printable text in `charset` with everything shown in ASCII that could move the cursor, change the
// terminal's state, reorder or hide text: C0 and C1 controls and DEL (\x1b, \x9b), bytes that are
// not valid UTF-8 (\xff), bidirectional and invisible format characters, line and paragraph
// separators, variation selectors and tags, private use and noncharacters (\u{202e}), and for an
// ASCII terminal all that is not ASCII (\u{e9}). A backslash stays as it is. Never fails; the
// result is at most six times as long.
std::string EscapeForTerminal(std::string_view bytes, Lines lines, Charset charset);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_ESCAPE_FOR_TERMINAL_H_
