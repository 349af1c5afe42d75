// What the checker counts. All but the first two must be 0, whatever fault there was.
#ifndef WORMHOLE_TESTS_FAULTS_VERDICT_H_
#define WORMHOLE_TESTS_FAULTS_VERDICT_H_

#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace wormhole::faults {

struct Verdict {
  // Exchanges. Each is in one of the first three.
  int finished = 0;  // both sides have the other's data
  int failed = 0;    // a side ended with a typed reason, and no side is without an end
  int lost = 0;      // a side never ended, or without a reason
  int delivered_twice = 0;
  int paired_wrongly = 0;  // a side has data that its peer did not send

  // Frames.
  int posted = 0;                // acknowledged ones that were looked after
  int acknowledged_missing = 0;  // the relay said Posted, and later did not have it for its reader
  int altered = 0;               // one number with two contents, or read other than it was sent
  int nonces_reused = 0;         // one nonce for two plaintexts
  int refused = 0;               // streams ended as if the client had broken the rules

  int most_guesses = 0;            // different first frames that one side was handed
  std::map<int, int> reasons;      // how often a side was told of each wormhole::Reason
  std::vector<std::string> wrong;  // what is behind the counts that should be 0

  bool clean() const {
    return lost + delivered_twice + paired_wrongly + acknowledged_missing + altered +
               nonces_reused + refused ==
           0;
  }
};

std::ostream& operator<<(std::ostream& out, const Verdict& verdict);

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_VERDICT_H_
