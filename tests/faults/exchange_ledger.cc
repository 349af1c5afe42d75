#include "tests/faults/exchange_ledger.h"

#include <cstdlib>

namespace wormhole::faults {

void ExchangeLedger::Note(const LogLine& line) {
  const bool receiver = line.words.at(2) == "r";
  NoteOf(exchanges_[line.words.at(1)][receiver ? 1 : 0], line);
}

void ExchangeLedger::NoteOf(Side& side, const LogLine& line) {
  const std::string& event = line.words.at(3);
  if (event == "started") {
    side.started = true;
    side.sends = line.words.at(4);
  } else if (event == "restored") {
    side.deliveries = 0;
    side.failed_reason.reset();
  } else if (event == "got") {
    const std::string& hash = line.words.at(4);
    side.delivered_twice |= ++side.deliveries > 1 || side.got.value_or(hash) != hash;
    side.got = hash;
  } else if (event == "failed") {
    side.failed_reason = atoi(line.words.at(4).c_str());
    side.failures.push_back(*side.failed_reason);
  }
}

void ExchangeLedger::Count(Verdict& verdict) const {
  for (const auto& [name, sides] : exchanges_) {
    CountSide(name + " initiator", sides[0], sides[1], verdict);
    CountSide(name + " receiver", sides[1], sides[0], verdict);
    CountEnd(name, sides, verdict);
  }
}

void ExchangeLedger::CountSide(const std::string& name, const Side& side, const Side& peer,
                               Verdict& verdict) {
  for (const int reason : side.failures) ++verdict.reasons[reason];
  if (side.delivered_twice) {
    ++verdict.delivered_twice;
    verdict.wrong.push_back(name + " was given its data twice");
  }
  if (side.got.has_value() && (!peer.started || *side.got != peer.sends)) {
    ++verdict.paired_wrongly;
    verdict.wrong.push_back(name + " has data that its peer did not send");
  }
}

void ExchangeLedger::CountEnd(const std::string& name, const Exchange& sides, Verdict& verdict) {
  bool finished = true;
  bool lost = false;
  bool failed = false;
  for (const Side& side : sides) {
    finished &= side.got.has_value();
    failed |= side.failed_reason.has_value();
    lost |= side.failed_reason == 0;  // without a reason
    lost |= side.started && !side.got.has_value() && !side.failed_reason.has_value();
  }
  // A receiver that was never started needs an initiator that failed to show its code.
  lost |= !finished && !failed;
  if (lost) {
    ++verdict.lost;
    verdict.wrong.push_back(name + " was lost: a side has no end, or one without a reason");
  } else {
    ++(finished && !failed ? verdict.finished : verdict.failed);
  }
}

}  // namespace wormhole::faults
