// Whether the process takes more memory than it may, and what it does not need given back.
#ifndef WORMHOLE_RELAY_SERVER_MEMORY_WATCH_H_
#define WORMHOLE_RELAY_SERVER_MEMORY_WATCH_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "relay/monitor/process_usage.h"

namespace wormhole::relay {

// Short from seven eighths of a limit on, until three quarters of it: in between it stays as it is,
// or those who were refused would be let in and refused in turns. Pure.
class MemoryMark {
 public:
  // Bytes; 0: never short.
  explicit MemoryMark(uint64_t limit) : limit_(limit) {}

  // Whether memory is short, when so many bytes are resident.
  bool IsShortAt(uint64_t resident);
  // Whether so many make it short.
  bool Reaches(uint64_t resident) const { return limit_ != 0 && resident >= limit_ / 8 * 7; }

 private:
  const uint64_t limit_;
  bool short_ = false;
};

// Not thread-safe.
class MemoryWatch {
 public:
  // Poll calls `tell` when memory has become short, or is so no more.
  MemoryWatch(uint64_t limit, std::function<void(bool is_short)> tell)
      : mark_(limit), tell_(std::move(tell)), least_(static_cast<uint64_t>(ResidentBytes())) {}

  // To be called a few times a second. At times it gives back to the system what malloc keeps for
  // later: after many have come and gone that is most of what they took, and who watches the
  // process, or kills it for its memory, sees what is resident. Also before it tells that memory is
  // short, and often while it is: or newcomers would be refused for memory that nobody uses.
  void Poll();

 private:
  // Whether memory would be short, or is.
  bool IsTight(uint64_t resident) const { return told_ || mark_.Reaches(resident); }
  void Trim(uint64_t resident);

  MemoryMark mark_;
  const std::function<void(bool is_short)> tell_;
  bool told_ = false;
  int polls_since_trim_ = 0;
  // Resident at the start or after a trim. At the start, since the first trim may come while
  // strangers do their worst: with what they take for the least, nothing is given back after them.
  uint64_t least_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_MEMORY_WATCH_H_
