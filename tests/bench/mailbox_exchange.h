// One exchange through magic-wormhole's mailbox server, to compare with: as many phases of the same
// sizes as RawExchange, with nothing computed.
#ifndef WORMHOLE_TESTS_BENCH_MAILBOX_EXCHANGE_H_
#define WORMHOLE_TESTS_BENCH_MAILBOX_EXCHANGE_H_

#include <cstdint>

#include "tests/bench/exchange_outcome.h"

namespace wormhole::bench {

// Blocks, and says on standard error why an exchange failed. Each side has a connection of its own,
// since one is in one mailbox only; both are made before the receiver's claim, as by programs that
// wait for somebody to type the code.
ExchangeOutcome RunMailboxExchange(uint16_t port);

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_MAILBOX_EXCHANGE_H_
