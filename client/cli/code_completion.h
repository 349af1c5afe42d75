// What Tab does to a code that is being typed. Pure.
#ifndef WORMHOLE_CLIENT_CLI_CODE_COMPLETION_H_
#define WORMHOLE_CLIENT_CLI_CODE_COMPLETION_H_

#include <string>
#include <string_view>
#include <vector>

namespace wormhole::cli {

struct Completion {
  std::string text;  // what was typed, and what follows from it for certain
  // Words to choose from when nothing follows; empty when there is none, or too many to show.
  std::vector<std::string_view> candidates;
};

// `typed` in lower case. A number gets its hyphen, a word is completed as far as all words of the
// list that begin like it agree, and the first word gets the hyphen after it.
Completion CompleteCode(std::string_view typed);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_CODE_COMPLETION_H_
