#include "tests/observability/promql.h"

#include <regex>
#include <set>

namespace wormhole::testing {
namespace {

// One selector for each of the values that its first label with several may have; and so on.
void Expand(const std::string& selector, std::set<std::string>& found) {
  static const std::regex kSeveral(R"re(=~"(\w+(?:\|\w+)+)")re");
  std::smatch match;
  if (!std::regex_search(selector, match, kSeveral)) {
    found.insert(selector);
    return;
  }
  static const std::regex kOne(R"(\w+)");
  const std::string values = match[1];
  for (std::sregex_iterator value(values.begin(), values.end(), kOne), end; value != end; ++value) {
    Expand(match.prefix().str() + "=\"" + value->str() + "\"" + match.suffix().str(), found);
  }
}

}  // namespace

std::vector<std::string> Selectors(const std::string& expression) {
  static const std::regex kSelector(
      R"re(\b(?:(?:wormhole|grpc_server|process)_\w+|up\b)(?:\{[^}]*\})?)re");
  std::set<std::string> found;
  for (std::sregex_iterator at(expression.begin(), expression.end(), kSelector), end; at != end;
       ++at) {
    Expand(at->str(), found);
  }
  return {found.begin(), found.end()};
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace wormhole::testing
