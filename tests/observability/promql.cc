#include "tests/observability/promql.h"

#include <cctype>
#include <regex>
#include <set>
#include <utility>

namespace wormhole::testing {
namespace {

// One selector for each of the values that its first label with several may have; and so on.
void Expand(const std::string& selector, std::set<std::string>& found) {
  static const std::regex several(R"re(=~"(\w+(?:\|\w+)+)")re");
  std::smatch match;
  if (!std::regex_search(selector, match, several)) {
    found.insert(selector);
    return;
  }
  static const std::regex one(R"(\w+)");
  const std::string values = match[1];
  for (std::sregex_iterator value(values.begin(), values.end(), one), end; value != end; ++value) {
    Expand(match.prefix().str() + "=\"" + value->str() + "\"" + match.suffix().str(), found);
  }
}

// Words that stand between operands, and `by` and its like, which ReadWord handles.
const std::set<std::string_view> kOperators = {"and",   "or",  "unless", "offset", "bool",
                                               "atan2", "inf", "nan",    "start",  "end"};
const std::set<std::string_view> kAggregations = {"sum",          "min",     "max",    "avg",
                                                  "group",        "stddev",  "stdvar", "count",
                                                  "count_values", "bottomk", "topk",   "quantile"};

// Reads from left to right. PromQL is read without its grammar: a word is a metric unless it is
// called, is one of the language's, or stands in brackets of labels.
class PromqlReader {
 public:
  explicit PromqlReader(const std::string& text) : text_(text) {}

  PromqlParts Read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (IsWordStart(c)) {
        ReadWord();
      } else if (c == '{') {
        parts_.selectors.push_back(TakeTo('}'));
      } else if (c == '[') {
        TakeTo(']');
      } else if (c == '"') {
        TakeString();
      } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
        TakeWord();  // 5, 0.25, 1d
      } else {
        ++at_;
      }
    }
    return std::move(parts_);
  }

 private:
  static bool IsWordStart(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
  }

  void ReadWord() {
    const std::string word = TakeWord();
    SkipBlanks();
    if (word == "by" || word == "on") {
      parts_.groupings.push_back(TakeTo(')'));
    } else if (word == "without" || word == "ignoring") {
      parts_.unnamed_groupings.push_back(word);
      TakeTo(')');
    } else if (word == "group_left" || word == "group_right") {
      if (Next() == '(') TakeTo(')');  // labels are optional here
    } else if (kAggregations.contains(word)) {
      // sum by (a) (x), or sum(x): none here has its labels after the operand.
      if (Next() == '(') parts_.unnamed_groupings.push_back(word);
    } else if (Next() != '(' && !kOperators.contains(word)) {
      parts_.selectors.push_back(Next() == '{' ? word + TakeTo('}') : word);
    }
  }

  char Next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipBlanks() {
    while (std::isspace(static_cast<unsigned char>(Next())) != 0) ++at_;
  }

  std::string TakeWord() {
    const size_t from = at_;
    while (IsWordStart(Next()) || std::isdigit(static_cast<unsigned char>(Next())) != 0 ||
           Next() == '.') {
      ++at_;
    }
    return text_.substr(from, at_ - from);
  }

  std::string TakeString() {
    const size_t from = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    ++at_;
    return text_.substr(from, at_ - from);
  }

  // With `end`, which is not in a string. Blanks beside labels are left out.
  std::string TakeTo(char end) {
    std::string taken;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        taken += TakeString();
        continue;
      }
      ++at_;
      if (std::isspace(static_cast<unsigned char>(c)) == 0) taken += c;
      if (c == end) break;
    }
    return taken;
  }

  const std::string& text_;
  size_t at_ = 0;
  PromqlParts parts_;
};

}  // namespace

PromqlParts ReadPromql(const std::string& expression) { return PromqlReader(expression).Read(); }

std::vector<std::string> Selectors(const std::string& expression) {
  std::set<std::string> found;
  for (const std::string& selector : ReadPromql(expression).selectors) Expand(selector, found);
  return {found.begin(), found.end()};
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace wormhole::testing
