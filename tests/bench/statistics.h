// Medians, quartiles and percentiles.
#ifndef WORMHOLE_TESTS_BENCH_STATISTICS_H_
#define WORMHOLE_TESTS_BENCH_STATISTICS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace wormhole::bench {

// The value below which `fraction` of the values lie, 0 to 1; 0 when there are none. Between two of
// them it is in proportion, so that half of an even number of values is on either side of the
// median, and the quartiles of a few rounds lie alike around it.
inline double Percentile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

inline double Median(std::vector<double> values) { return Percentile(std::move(values), 0.5); }

// Each value by the one of the same place in `to`, which has at least as many; without those by 0.
inline std::vector<double> Ratios(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> ratios;
  for (size_t i = 0; i < of.size(); ++i) {
    if (to[i] != 0) ratios.push_back(of[i] / to[i]);
  }
  return ratios;
}

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_STATISTICS_H_
