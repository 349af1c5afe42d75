// Who may allocate and claim: the content of --tokens-file.
//
//   # A comment. Empty lines are skipped.
//   sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 allocate,claim
//   app.example/* anyone claim app.example/*
//
// Each line says who (the hash of a token, or anyone), what for (allocate, claim or both) and for
// which app-ids: one, or all that begin with what stands before a `*`. The app-id is the rest of
// the line, so that it may have blanks. What no line grants is refused. Several lines may have the
// same token.
#ifndef WORMHOLE_RELAY_ADMISSION_TOKEN_LIST_H_
#define WORMHOLE_RELAY_ADMISSION_TOKEN_LIST_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "relay/admission/token_hash.h"

namespace wormhole::relay {

enum class TokenUse { kAllocate, kClaim };

enum class TokenVerdict {
  kGranted,
  kMissing,     // a token is needed, and none was presented
  kUnknown,     // the one that was presented is not in the list
  kNotForThis,  // it is, for other app-ids or for the other use
};

class TokenJudge {
 public:
  virtual ~TokenJudge() = default;

  // Any thread. `presented`: the hash of the stream's token, if it brought one.
  virtual TokenVerdict Judge(const std::optional<TokenHash>& presented, TokenUse use,
                             std::string_view app_id) const = 0;
};

// A value.
class TokenList {
 public:
  // Each open looks at all lines, which takes some 80 microseconds for as many as these, and less
  // than one for ten.
  static constexpr size_t kMaxGrants = 1000;
  static constexpr size_t kMaxBytes = 512 << 10;  // that many of the longest, and comments

  // INVALID_ARGUMENT, `LINE: what is wrong`, when a line is none; without the line's number when
  // nothing is granted to anybody, or the whole is too long. Never repeats what stands there.
  static absl::StatusOr<TokenList> Parse(std::string_view text);

  // A line for the file, without a line end. INVALID_ARGUMENT when Parse would refuse it.
  static absl::StatusOr<std::string> Write(const TokenHash& token, std::string_view uses,
                                           std::string_view pattern);

  // Compares with every line in constant time, so that how long it takes tells nothing about which
  // one, if any, is like the token.
  TokenVerdict Judge(const std::optional<TokenHash>& presented, TokenUse use,
                     std::string_view app_id) const;

  size_t size() const { return grants_.size(); }

 private:
  struct Grant {
    std::optional<TokenHash> token;  // nothing: anyone
    bool allocate = false;
    bool claim = false;
    std::string app_id;
    bool prefix = false;  // all app-ids that begin so
  };

  static absl::StatusOr<Grant> ParseGrant(std::string_view line);
  static absl::Status ParseUses(std::string_view text, Grant& grant);
  static absl::Status ParsePattern(std::string_view text, Grant& grant);
  static bool Covers(const Grant& grant, TokenUse use, std::string_view app_id);

  std::vector<Grant> grants_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ADMISSION_TOKEN_LIST_H_
