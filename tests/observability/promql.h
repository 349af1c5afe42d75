// What a PromQL expression asks Prometheus for.
#ifndef WORMHOLE_TESTS_OBSERVABILITY_PROMQL_H_
#define WORMHOLE_TESTS_OBSERVABILITY_PROMQL_H_

#include <string>
#include <string_view>
#include <vector>

namespace wormhole::testing {

// What Prometheus itself would find in `expression`, which it can parse: here only told apart.
struct PromqlParts {
  // Each vector selector as it stands there, without its range: up, up{job="x"}, {job="x"}.
  std::vector<std::string> selectors;
  // The labels in brackets after each `by` and `on`.
  std::vector<std::string> groupings;
  // The aggregations and matchings that say no labels to keep, by their operator: `sum` of sum(x),
  // `without`, `ignoring`.
  std::vector<std::string> unnamed_groupings;
};
PromqlParts ReadPromql(const std::string& expression);

// The vector selectors of `expression`, each once. One that lets a label be one of several values,
// reason=~"busy|taken", is given as one for each, so that each has to be there.
std::vector<std::string> Selectors(const std::string& expression);

// `text` with each `from` replaced.
std::string Replaced(std::string text, std::string_view from, std::string_view to);

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_OBSERVABILITY_PROMQL_H_
