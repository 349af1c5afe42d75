// What a PromQL expression asks Prometheus for.
#ifndef WORMHOLE_TESTS_OBSERVABILITY_PROMQL_H_
#define WORMHOLE_TESTS_OBSERVABILITY_PROMQL_H_

#include <string>
#include <string_view>
#include <vector>

namespace wormhole::testing {

// The vector selectors of `expression` on a relay's metrics, and on `up`. One that lets a label be
// one of several values, reason=~"busy|taken", is given as one for each, so that each has to be
// there.
std::vector<std::string> Selectors(const std::string& expression);

// `text` with each `from` replaced.
std::string Replaced(std::string text, std::string_view from, std::string_view to);

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_OBSERVABILITY_PROMQL_H_
