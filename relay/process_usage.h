// What this process uses, as Linux tells it.
#ifndef WORMHOLE_RELAY_PROCESS_USAGE_H_
#define WORMHOLE_RELAY_PROCESS_USAGE_H_

#include <cstddef>
#include <cstdint>

namespace wormhole::relay {

// Of all threads, ended ones too, seconds.
double CpuSeconds();

// Bytes; 0 where there is no /proc.
double ResidentBytes();

// The limit on open descriptors.
double MaxDescriptors();

struct OpenDescriptors {
  size_t all = 0;
  // Those that are connected TCP sockets of the local port that was asked for.
  size_t connections = 0;
};

// Looks at every open descriptor: some 50 ms of CPU for 10,000. A connection counts from when it
// was accepted until it is closed, whatever has been said on it. All 0 where there is no /proc.
OpenDescriptors CountDescriptors(uint16_t local_port);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_PROCESS_USAGE_H_
