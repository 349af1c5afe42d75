#include "client/core/code.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/core/typed_code.h"

namespace wormhole::core {
namespace {

constexpr std::string_view kWords[] = {
#include "client/core/bip39_english.inc"
};
static_assert(std::size(kWords) == kWordListSize);

constexpr std::string_view kExample = "a code looks like 4-purity-sausage";
constexpr size_t kMaxIdDigits = 9;
// No listed word has more than eight letters; what is much longer is like none of them.
constexpr size_t kMaxSuggestedLength = 16;

absl::string_view View(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

absl::Status Invalid(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the code ", View(what), "; ", View(kExample)));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

// Levenshtein's distance, one row at a time.
size_t Distance(std::string_view a, std::string_view b) {
  std::array<size_t, kMaxSuggestedLength + 1> row;
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::optional<std::string_view> NearestWord(std::string_view word) {
  if (word.size() > kMaxSuggestedLength) return std::nullopt;
  std::string_view nearest;
  size_t least = SIZE_MAX;
  for (const std::string_view listed : kWords) {
    const size_t distance = Distance(word, listed);
    if (distance < least) {
      least = distance;
      nearest = listed;
    }
  }
  // Past three changes in a word of four to eight letters it is no suggestion any more.
  if (least > 3) return std::nullopt;
  return nearest;
}

absl::Status CheckListed(std::string_view word) {
  if (IsListedWord(word)) return absl::OkStatus();
  if (word.size() > kMaxSuggestedLength) {
    return Invalid("has a word that is not in the list");
  }
  const std::optional<std::string_view> nearest = NearestWord(word);
  return Invalid(absl::StrCat(
      "has the word \"", View(word), "\", which is not in the list",
      nearest ? absl::StrCat(" (did you mean \"", View(*nearest), "\"?)") : std::string()));
}

absl::Status CheckWords(std::string_view words, bool allow_other_words) {
  if (words.size() > kMaxWordsBytes) return Invalid("is too long");
  size_t count = 0;
  while (true) {
    const std::string_view word = words.substr(0, words.find('-'));
    if (!std::all_of(word.begin(), word.end(), IsLower)) {
      return Invalid("has a character other than letters and hyphens in its words");
    }
    if (++count > kMaxWords) return Invalid("has more than eight words");
    if (!allow_other_words) {
      if (absl::Status status = CheckListed(word); !status.ok()) return status;
    }
    if (word.size() == words.size()) break;
    words.remove_prefix(word.size() + 1);
  }
  if (count < kMinWords) return Invalid("has one word only");
  return absl::OkStatus();
}

}  // namespace

std::string Code::ToString() const { return absl::StrCat(channel_id, "-", words); }

absl::StatusOr<Code> ParseCode(std::string_view text, bool allow_other_words) {
  if (text.size() > kMaxTypedCodeBytes) return Invalid("is too long");
  const std::optional<std::string> typed = NormalizeCode(text);
  if (!typed.has_value()) return Invalid("is not valid UTF-8");
  if (typed->empty()) return Invalid("is empty");
  const size_t digits = std::find_if_not(typed->begin(), typed->end(), IsDigit) - typed->begin();
  if (digits == 0) return Invalid("does not begin with its number, which is 1 or more");
  if (digits > kMaxIdDigits) return Invalid("has a number of more than nine digits");
  if (digits == typed->size()) return Invalid("has no words");
  if ((*typed)[digits] != '-') return Invalid("has no hyphen after its number");
  Code code;
  for (size_t i = 0; i < digits; ++i) code.channel_id = code.channel_id * 10 + ((*typed)[i] - '0');
  code.words = typed->substr(digits + 1);
  if (absl::Status status = CheckWords(code.words, allow_other_words); !status.ok()) return status;
  return code;
}

std::string DrawWords(size_t count, RandomSource& random) {
  std::string words;
  words.reserve(kMaxWordsBytes);
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) words += '-';
    words += Word(random.Below(kWordListSize));
  }
  return words;
}

std::string_view Word(size_t index) { return kWords[index]; }

bool IsListedWord(std::string_view word) {
  return std::binary_search(std::begin(kWords), std::end(kWords), word);
}

std::vector<std::string_view> WordsWithPrefix(std::string_view prefix, size_t limit) {
  std::vector<std::string_view> found;
  for (const std::string_view* word =
           std::lower_bound(std::begin(kWords), std::end(kWords), prefix);
       word != std::end(kWords) && found.size() < limit && word->substr(0, prefix.size()) == prefix;
       ++word) {
    found.push_back(*word);
  }
  return found;
}

}  // namespace wormhole::core
