#include "relay/admission/token_list.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/app_id.h"

namespace wormhole::relay {
namespace {

constexpr std::string_view kBlanks = " \t";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Wrong(std::string_view what) { return absl::InvalidArgumentError(View(what)); }

// Cuts the first word off `text`, and the blanks behind it.
std::string_view TakeWord(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return word;
}

// Cuts the first line off `text`, without its line end and without blanks around it.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

}  // namespace

absl::Status TokenList::ParseUses(std::string_view text, Grant& grant) {
  constexpr std::string_view kWhat =
      "behind the token stands what it is for: allocate, claim or allocate,claim";
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view use = text.substr(0, comma);
    bool* const place = use == "allocate" ? &grant.allocate
                        : use == "claim"  ? &grant.claim
                                          : nullptr;
    if (place == nullptr || std::exchange(*place, true)) return Wrong(kWhat);
    if (comma == std::string_view::npos) return absl::OkStatus();
    text.remove_prefix(comma + 1);
  }
}

absl::Status TokenList::ParsePattern(std::string_view text, Grant& grant) {
  if (text.empty()) return Wrong("at the end stands an app-id, or the beginning of some and a *");
  grant.prefix = text.back() == '*';
  if (grant.prefix) text.remove_suffix(1);
  if (text.find('*') != std::string_view::npos) {
    return Wrong("a * has no place within an app-id, only at its end");
  }
  grant.app_id = std::string(text);
  if (text.empty()) return absl::OkStatus();
  return wire::CheckAppId(text);
}

absl::StatusOr<TokenList::Grant> TokenList::ParseGrant(std::string_view line) {
  Grant grant;
  const std::string_view who = TakeWord(line);
  if (who != "anyone") {
    grant.token = ReadTokenHash(who);
    if (!grant.token) {
      return Wrong(
          "a line begins with anyone, or with a token as `wormhole-relay hash-token` writes it: "
          "sha256: and 64 hex digits");
    }
  }
  if (absl::Status uses = ParseUses(TakeWord(line), grant); !uses.ok()) return uses;
  if (absl::Status pattern = ParsePattern(line, grant); !pattern.ok()) return pattern;
  return grant;
}

absl::StatusOr<TokenList> TokenList::Parse(std::string_view text) {
  if (text.size() > kMaxBytes) return Wrong(absl::StrCat("has more than ", kMaxBytes, " bytes"));
  TokenList list;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = TakeLine(text);
    if (line.empty() || line.front() == '#') continue;
    if (list.grants_.size() == kMaxGrants) {
      return Wrong(absl::StrCat(number, ": a tokens file has at most ", kMaxGrants, " tokens"));
    }
    absl::StatusOr<Grant> grant = ParseGrant(line);
    if (!grant.ok()) return Wrong(absl::StrCat(number, ": ", grant.status().message()));
    list.grants_.push_back(*std::move(grant));
  }
  if (list.grants_.empty()) {
    return Wrong("has no line with a token: nobody could allocate or claim");
  }
  return list;
}

bool TokenList::Covers(const Grant& grant, TokenUse use, std::string_view app_id) {
  const bool used = use == TokenUse::kAllocate ? grant.allocate : grant.claim;
  return used && (grant.prefix ? app_id.starts_with(grant.app_id) : app_id == grant.app_id);
}

TokenVerdict TokenList::Judge(const std::optional<TokenHash>& presented, TokenUse use,
                              std::string_view app_id) const {
  static constexpr TokenHash kNone = {};
  const TokenHash& token = presented ? *presented : kNone;
  // Numbers, so that nothing branches on whether a token is the same.
  unsigned known = 0;
  unsigned granted = 0;
  for (const Grant& grant : grants_) {
    const TokenHash& held = grant.token ? *grant.token : kNone;
    const unsigned same = sodium_memcmp(held.data(), token.data(), held.size()) == 0 ? 1 : 0;
    const unsigned anyone = grant.token ? 0 : 1;
    const unsigned holder = same & (anyone ^ 1) & (presented ? 1 : 0);
    known |= holder;
    granted |= (holder | anyone) & (Covers(grant, use, app_id) ? 1 : 0);
  }
  if (granted != 0) return TokenVerdict::kGranted;
  if (known != 0) return TokenVerdict::kNotForThis;
  return presented ? TokenVerdict::kUnknown : TokenVerdict::kMissing;
}

absl::StatusOr<std::string> TokenList::Write(const TokenHash& token, std::string_view uses,
                                             std::string_view pattern) {
  Grant grant;
  if (absl::Status sound = ParseUses(uses, grant); !sound.ok()) return sound;
  if (absl::Status sound = ParsePattern(pattern, grant); !sound.ok()) return sound;
  if (kBlanks.find(pattern.front()) != std::string_view::npos ||
      kBlanks.find(pattern.back()) != std::string_view::npos) {
    return Wrong("an app-id that begins or ends with a blank cannot stand in a tokens file");
  }
  return absl::StrCat(WriteTokenHash(token), " ", View(uses), " ", View(pattern));
}

}  // namespace wormhole::relay
