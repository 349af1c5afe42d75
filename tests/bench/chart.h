// The ratios of a run as a chart.
#ifndef WORMHOLE_TESTS_BENCH_CHART_H_
#define WORMHOLE_TESTS_BENCH_CHART_H_

#include <string>
#include <vector>

#include "tests/bench/report.h"

namespace wormhole::bench {

// SVG that needs nothing else, to be read on white and on black: a bar from 1 to each row's ratio,
// the middle half of the rounds as a whisker, and the numbers. Rows without a ratio are left out.
std::string DrawChart(const std::string& caption, const std::vector<Row>& rows);

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_CHART_H_
