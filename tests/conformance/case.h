// A case of the suite, whatever it is run against: a row of a table with a way to run it.
#ifndef WORMHOLE_TESTS_CONFORMANCE_CASE_H_
#define WORMHOLE_TESTS_CONFORMANCE_CASE_H_

#include <functional>
#include <string>
#include <vector>

#include "tests/conformance/crypto.h"

namespace wormhole::conformance {

inline constexpr Role kBoth[] = {Role::kInitiator, Role::kReceiver};

// The row for clients in both roles.
template <typename Row>
void ForBoth(std::vector<Row>& rows, Row row) {
  for (const Role role : kBoth) {
    row.client = role;
    rows.push_back(row);
  }
}

struct Verdict {
  std::vector<std::string> wrongs;  // empty: passed
  std::string skipped;              // why it was not run
  std::string details;              // for whoever looks into a failure
};

struct Case {
  std::string name;     // group/what/against-whom
  std::string section;  // of proto/PROTOCOL.md
  std::string shows;    // one line, for the list
  std::function<Verdict()> run;
};

// Runs them, `jobs` at a time, and says of each on standard output what became of it. Writes a
// JUnit report to `xml` unless that is empty. The number of those that failed.
int RunCases(const std::vector<Case>& cases, int jobs, const std::string& xml);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_CASE_H_
