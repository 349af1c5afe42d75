// The numbers of a run, as a table, as JSON and as a chart.
#ifndef WORMHOLE_TESTS_BENCH_REPORT_H_
#define WORMHOLE_TESTS_BENCH_REPORT_H_

#include <optional>
#include <string>
#include <vector>

namespace wormhole::bench {

struct Aim {
  enum class Of { kRatio, kValue } of = Of::kRatio;
  enum class Is { kAtMost, kAtLeast } is = Is::kAtMost;
  double limit = 0;
};

// Between the lower and the upper quartile.
struct MiddleHalf {
  double lower = 0;
  double upper = 0;
};

struct Row {
  std::string section;   // "round trip"
  std::string quantity;  // "p50"
  std::string subject;   // "relay, SQLite"
  double value = 0;
  std::string unit;
  // `value` by that of the subject it is compared with; 0: with none.
  double ratio = 0;
  std::optional<Aim> aim;
  // Where half of the rounds lie whose medians `value` and `ratio` are. Not there when the numbers
  // are not of rounds, or of one.
  std::optional<MiddleHalf> value_spread;
  std::optional<MiddleHalf> ratio_spread;
};

// A row of one value for each round: the median over them, and that of their ratios to the values
// in `base` of the same rounds. Without a ratio when `base` is empty.
Row RowOfRounds(std::string section, std::string quantity, std::string subject, std::string unit,
                const std::vector<double>& values, const std::vector<double>& base);

// How many digits after the point a ratio is shown with: of a small one none would be seen else.
int DigitsOf(double ratio);

class Report {
 public:
  // `load_before` is the machine's load average when the run began: whoever else was busy.
  explicit Report(double load_before) : load_before_(load_before) {}

  void Add(Row row);
  // What the reader has to know of rows that are not there. Said once, however often it is noted.
  void Note(const std::string& note);
  // To standard output. Printed at the end, and what it holds does not depend on success.
  void Print() const;
  // False when the file cannot be written.
  bool WriteJson(const std::string& path) const;
  // The ratios, as DrawChart draws them. False as above.
  bool WriteSvg(const std::string& path) const;

 private:
  std::string Machine() const;

  const double load_before_;
  std::vector<Row> rows_;
  std::vector<std::string> notes_;
};

// Of the last minute.
double LoadAverage();

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_REPORT_H_
