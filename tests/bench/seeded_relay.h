// A switchboard over a memory store that has channels in it already, and allocations in it. No
// gRPC.
#ifndef WORMHOLE_TESTS_BENCH_SEEDED_RELAY_H_
#define WORMHOLE_TESTS_BENCH_SEEDED_RELAY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "relay/channel/record.h"
#include "relay/store/memory/memory_store.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::bench {

struct AllocationTime {
  double wall_micros = 0;  // per allocation, until it is answered
  double cpu_micros = 0;   // per allocation, of all threads
};

class SeededRelay {
 public:
  // `apps` app-ids, each with active channels at the ids from `first` to `last`.
  SeededRelay(int apps, uint32_t first, uint32_t last);

  // The time for `count` allocations that are asked for at once, one per app-id in turn. They are
  // gone afterwards. Ends the
  // process when one is refused or gets an id of another length than `digits`.
  AllocationTime Allocate(int count, uint32_t min_digits, size_t digits);

 private:
  void AwaitGone(const relay::ChannelKey& key);

  const int apps_;
  relay::MemoryStore store_;
  std::unique_ptr<relay::Switchboard> switchboard_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_SEEDED_RELAY_H_
