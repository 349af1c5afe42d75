// What tests read of Prometheus' text format: each series with its value.
#ifndef WORMHOLE_RELAY_MONITOR_TESTING_METRICS_PAGE_H_
#define WORMHOLE_RELAY_MONITOR_TESTING_METRICS_PAGE_H_

#include <map>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace wormhole::relay {

class MetricsPage {
 public:
  explicit MetricsPage(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const size_t space = line.rfind(' ');
      if (line.empty() || line[0] == '#' || space == std::string::npos) continue;
      const bool first = series_.emplace(line.substr(0, space), stod(line.substr(space))).second;
      EXPECT_TRUE(first) << "twice: " << line;
    }
  }

  // As it stands in the text, its labels in the order of their names; -1 when there is none.
  double Value(const std::string& series) const {
    const auto found = series_.find(series);
    return found == series_.end() ? -1 : found->second;
  }
  // Of all series whose text begins so.
  double Sum(const std::string& prefix) const {
    double sum = 0;
    for (auto at = series_.lower_bound(prefix); at != series_.end(); ++at) {
      if (!at->first.starts_with(prefix)) break;
      sum += at->second;
    }
    return sum;
  }
  const std::map<std::string, double>& series() const { return series_; }

 private:
  std::map<std::string, double> series_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_TESTING_METRICS_PAGE_H_
