// How exchanges ended, from what the two programs were told.
#ifndef WORMHOLE_TESTS_FAULTS_EXCHANGE_LEDGER_H_
#define WORMHOLE_TESTS_FAULTS_EXCHANGE_LEDGER_H_

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/faults/checker.h"

namespace wormhole::faults {

class ExchangeLedger {
 public:
  // An `app` line.
  void Note(const LogLine& line);
  void Count(Verdict& verdict) const;

 private:
  struct Side {
    bool started = false;
    std::string sends;                 // hash
    std::optional<std::string> got;    // hash
    int deliveries = 0;                // in this process
    bool delivered_twice = false;      // in one process, or different data in two
    std::optional<int> failed_reason;  // of the last failure; goes with a restore
    std::vector<int> failures;         // of all lives
  };
  using Exchange = std::array<Side, 2>;  // initiator, receiver

  static void NoteOf(Side& side, const LogLine& line);
  static void CountSide(const std::string& name, const Side& side, const Side& peer,
                        Verdict& verdict);
  static void CountEnd(const std::string& name, const Exchange& sides, Verdict& verdict);

  std::map<std::string, Exchange> exchanges_;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_EXCHANGE_LEDGER_H_
