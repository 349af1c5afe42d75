// One exchange after the other, with each end told where to go and what it sees in the log.
#ifndef WORMHOLE_TESTS_FAULTS_ONE_EXCHANGE_H_
#define WORMHOLE_TESTS_FAULTS_ONE_EXCHANGE_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "tests/faults/event_log.h"

namespace wormhole::faults {

struct ExchangePlan {
  std::string name;
  std::string initiators_relay;
  std::string receivers_relay;
  absl::Duration receiver_after = absl::ZeroDuration();  // how long the initiator waits for it
  absl::Duration timeout = absl::Minutes(2);
};

// Returns when both sides have ended and said goodbye. Each has a connection of its own.
void RunExchange(const ExchangePlan& plan, const std::shared_ptr<EventLog>& initiators,
                 const std::shared_ptr<EventLog>& receivers);

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_ONE_EXCHANGE_H_
