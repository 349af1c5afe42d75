// Invitation codes (proto/PROTOCOL.md section 1): `4-purple-sausages`. Pure.
#ifndef WORMHOLE_CLIENT_CORE_CODE_H_
#define WORMHOLE_CLIENT_CORE_CODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/core/random_source.h"

namespace wormhole::core {

inline constexpr size_t kMinWords = 2;
inline constexpr size_t kMaxWords = 8;
inline constexpr size_t kWordListSize = 2048;  // 11 bits a word
// The longest `words` part that is taken, bytes; eight words of the list need 71.
inline constexpr size_t kMaxWordsBytes = 128;
// The longest text in which ParseCode looks for a code: room for what people paste with it.
inline constexpr size_t kMaxTypedCodeBytes = 1024;

struct Code {
  uint32_t channel_id = 0;
  std::string words;  // lower case, with hyphens, without the channel id: the PAKE's password

  std::string ToString() const;
};

// The one parser, whichever way a code comes in: takes what people type or paste (typed_code.h says
// what is no part of a code). INVALID_ARGUMENT with what is wrong and how a code looks; the message
// repeats no word of the code except one that is not in the list, with the nearest listed word as a
// suggestion. `allow_other_words` takes any [a-z]+.
absl::StatusOr<Code> ParseCode(std::string_view text, bool allow_other_words);

// `count` words drawn uniformly, joined by hyphens.
std::string DrawWords(size_t count, RandomSource& random);

// The list: 2048 lower-case words, sorted.
std::string_view Word(size_t index);
bool IsListedWord(std::string_view word);
// The listed words that begin with `prefix`, at most `limit`.
std::vector<std::string_view> WordsWithPrefix(std::string_view prefix, size_t limit);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_CODE_H_
