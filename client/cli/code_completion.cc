#include "client/cli/code_completion.h"

#include <algorithm>
#include <cstddef>

#include "client/core/code.h"

namespace wormhole::cli {
namespace {

// Two lines of a terminal.
constexpr size_t kMaxCandidates = 20;

// How much all of `words`, which are sorted, have in common at their beginning.
std::string_view CommonPrefix(const std::vector<std::string_view>& words) {
  const std::string_view first = words.front();
  const std::string_view last = words.back();
  const auto end = std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first;
  return first.substr(0, static_cast<size_t>(end - first.begin()));
}

Completion CompleteNumber(std::string_view typed) {
  const bool number =
      !typed.empty() && typed.find_first_not_of("0123456789") == std::string_view::npos;
  return {.text = std::string(typed) + (number ? "-" : "")};
}

}  // namespace

Completion CompleteCode(std::string_view typed) {
  const size_t hyphen = typed.rfind('-');
  if (hyphen == std::string_view::npos) return CompleteNumber(typed);
  const std::string before(typed.substr(0, hyphen + 1));
  const std::string_view prefix = typed.substr(hyphen + 1);
  Completion completion{.text = std::string(typed)};
  const auto words = core::WordsWithPrefix(prefix, core::kWordListSize);
  if (prefix.empty() || words.empty()) return completion;
  completion.text = before + std::string(CommonPrefix(words));
  const bool first_word = std::count(before.begin(), before.end(), '-') == 1;
  if (words.size() == 1) {
    if (first_word) completion.text += '-';
  } else if (completion.text == typed && words.size() <= kMaxCandidates) {
    completion.candidates = words;
  }
  return completion;
}

}  // namespace wormhole::cli
