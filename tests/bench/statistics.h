// Medians and percentiles.
#ifndef WORMHOLE_TESTS_BENCH_STATISTICS_H_
#define WORMHOLE_TESTS_BENCH_STATISTICS_H_

#include <algorithm>
#include <cstddef>
#include <vector>

namespace wormhole::bench {

// The value below which `fraction` of the values lie, 0 to 1; 0 when there are none.
inline double Percentile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  const size_t index = std::min(values.size() - 1,
                                static_cast<size_t>(fraction * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index),
                   values.end());
  return values[index];
}

inline double Median(std::vector<double> values) { return Percentile(std::move(values), 0.5); }

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_STATISTICS_H_
