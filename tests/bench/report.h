// The numbers of a run, as a table and as JSON.
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

struct Row {
  std::string section;   // "round trip"
  std::string quantity;  // "p50"
  std::string subject;   // "relay, SQLite"
  double value = 0;
  std::string unit;
  // `value` by that of the subject it is compared with; 0: with none.
  double ratio = 0;
  std::optional<Aim> aim;
};

class Report {
 public:
  // `load_before` is the machine's load average when the run began: whoever else was busy.
  explicit Report(double load_before) : load_before_(load_before) {}

  void Add(Row row);
  // To standard output. Printed at the end, and what it holds does not depend on success.
  void Print() const;
  // False when the file cannot be written.
  bool WriteJson(const std::string& path) const;

 private:
  const double load_before_;
  std::vector<Row> rows_;
};

// Of the last minute.
double LoadAverage();

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_REPORT_H_
