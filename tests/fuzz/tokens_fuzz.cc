// A tokens file, which may be anything: it is refused with one line that does not repeat it, or
// each of its lines says by itself what it says among the others.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "relay/admission/token_hash.h"
#include "relay/admission/token_list.h"
#include "tests/fuzz/check.h"

namespace {

using wormhole::fuzz::Check;
using wormhole::relay::TokenList;
using wormhole::relay::TokenUse;
using wormhole::relay::TokenVerdict;

// Whether anyone is granted this.
bool Grants(const TokenList& list, TokenUse use, std::string_view app_id) {
  return list.Judge(std::nullopt, use, app_id) == TokenVerdict::kGranted;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<TokenList> list = TokenList::Parse(text);
  if (!list.ok()) {
    const std::string_view said(list.status().message().data(), list.status().message().size());
    Check(!said.empty() && said.find('\n') == std::string_view::npos && said.size() < 300);
    return 0;
  }
  Check(list->size() > 0 && list->size() <= TokenList::kMaxGrants);
  const absl::StatusOr<TokenList> more = TokenList::Parse("# a comment\n" + text + "\n\n");
  Check(!more.ok() || more->size() == list->size());  // it may have been as long as one may be
  for (const TokenUse use : {TokenUse::kAllocate, TokenUse::kClaim}) {
    for (const std::string_view app_id : {"", "a", "abuse.example", "x.y.z"}) {
      if (more.ok()) Check(Grants(*list, use, app_id) == Grants(*more, use, app_id));
    }
  }
  return 0;
}
