#include "tests/conformance/outcome.h"

#include <array>
#include <charconv>

namespace wormhole::conformance {
namespace {

// In the order of the enum; also the default exit codes, but for `failed`.
constexpr std::array<std::string_view, 13> kNames = {
    "done",         "local",   "usage", "wrong-code", "timed-out",  "no-relay", "occupied",
    "no-such-code", "gave-up", "stale", "forged",     "no-version", "failed"};

std::optional<Outcome> Named(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Outcome>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view NameOf(Outcome outcome) { return kNames[static_cast<size_t>(outcome)]; }

std::string NamesOf(const Outcomes& outcomes) {
  std::string text;
  for (const Outcome outcome : outcomes) {
    text += std::string(text.empty() ? "" : " or ") + std::string(NameOf(outcome));
  }
  return text;
}

ExitCodes::ExitCodes() {
  for (int code = 0; code < static_cast<int>(Outcome::kFailed); ++code) {
    codes_[code] = static_cast<Outcome>(code);
  }
}

std::optional<ExitCodes> ExitCodes::Read(std::string_view text) {
  ExitCodes read;
  read.codes_.clear();
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find(','));
    text.remove_prefix(pair.size() == text.size() ? pair.size() : pair.size() + 1);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto outcome = Named(pair.substr(equals + 1));
    if (!outcome) return std::nullopt;
    if (pair.substr(0, equals) == "*") {
      read.other_ = *outcome;
      continue;
    }
    int code = 0;
    const auto [end, error] = std::from_chars(pair.data(), pair.data() + equals, code);
    if (error != std::errc() || end != pair.data() + equals) return std::nullopt;
    read.codes_[code] = *outcome;
  }
  return read;
}

Outcome ExitCodes::Of(int exit_code) const {
  const auto it = codes_.find(exit_code);
  return it == codes_.end() ? other_ : it->second;
}

bool Meets(Outcome outcome, const Outcomes& expected) {
  if (expected.count(outcome) != 0) return true;
  return outcome == Outcome::kFailed && expected != Outcomes{Outcome::kDone};
}

}  // namespace wormhole::conformance
