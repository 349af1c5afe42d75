// The independent checker: reads the logs of both ends (event_log.h), and nothing else, and counts
// how the exchanges ended and whether the relay kept what it had acknowledged. It shares no code
// with the relay or the library.
#ifndef WORMHOLE_TESTS_FAULTS_CHECKER_H_
#define WORMHOLE_TESTS_FAULTS_CHECKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/faults/verdict.h"

namespace wormhole::faults {

struct LogLine {
  int64_t time = 0;
  std::vector<std::string> words;  // after the time
};

// The lines of all files in the order of their times. Ends the process when a file cannot be read
// or holds a line that is none.
std::vector<LogLine> ReadLogs(const std::vector<std::string>& paths);

Verdict Check(const std::vector<LogLine>& lines);

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_CHECKER_H_
