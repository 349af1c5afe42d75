// What one exchange has shown.
#ifndef WORMHOLE_TESTS_BENCH_EXCHANGE_OUTCOME_H_
#define WORMHOLE_TESTS_BENCH_EXCHANGE_OUTCOME_H_

namespace wormhole::bench {

// The messages of one client or of several, as they see them.
struct Traffic {
  int requests = 0;
  int responses = 0;

  Traffic& operator+=(const Traffic& more) {
    requests += more.requests;
    responses += more.responses;
    return *this;
  }
};

struct ExchangeOutcome {
  // From the receiver's claim, or start, to the initiator's data in its hands, microseconds. Less
  // than 0 when the exchange failed.
  double claim_to_data = -1;
  Traffic traffic;  // of both sides; nothing where nobody counts
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_EXCHANGE_OUTCOME_H_
