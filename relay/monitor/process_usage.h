// What this process uses, as Linux tells it.
#ifndef WORMHOLE_RELAY_MONITOR_PROCESS_USAGE_H_
#define WORMHOLE_RELAY_MONITOR_PROCESS_USAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wormhole::relay {

// Of all threads, ended ones too, seconds.
double CpuSeconds();

// Bytes; 0 where there is no /proc.
double ResidentBytes();

// The smallest limit on memory that the kernel holds this process to by its control groups, bytes:
// of a container, or of a unit of systemd's. Infinite where there is none, or where control groups
// are not of version 2. `root` is where the file systems begin.
double MemoryLimitBytes(const std::string& root = "");

// The limit on open descriptors.
double MaxDescriptors();

struct OpenDescriptors {
  size_t all = 0;
  // How many of them are connected sockets at the given local address.
  size_t connections = 0;
};

// Looks at every open descriptor: some 50 ms of CPU for 10,000. A connection counts from when it
// was accepted until it is closed, whatever has been said on it. All 0 where there is no /proc.
// The address is a TCP port, or the path of a socket in the file system.
OpenDescriptors CountDescriptors(uint16_t local_port, std::string_view path = "");

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_PROCESS_USAGE_H_
