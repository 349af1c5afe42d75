#include "relay/server/memory_watch.h"

#include <malloc.h>

#include <algorithm>

namespace wormhole::relay {
namespace {

// Ten seconds of the relay's ticks: a trim of a large heap takes some milliseconds, in which
// threads wait that allocate.
constexpr int kPollsPerTrim = 40;
constexpr int kPollsPerTrimWhenTight = 4;
// Less is not worth a trim.
constexpr uint64_t kWorthIt = 16 << 20;

}  // namespace

bool MemoryMark::IsShortAt(uint64_t resident) {
  if (limit_ == 0) return false;
  short_ = short_ ? resident >= limit_ / 4 * 3 : Reaches(resident);
  return short_;
}

void MemoryWatch::Poll() {
  uint64_t resident = static_cast<uint64_t>(ResidentBytes());
  if (++polls_since_trim_ >= (IsTight(resident) ? kPollsPerTrimWhenTight : kPollsPerTrim)) {
    polls_since_trim_ = 0;
    Trim(resident);
    resident = static_cast<uint64_t>(ResidentBytes());
  }
  const bool is_short = mark_.IsShortAt(resident);
  if (is_short == told_) return;
  told_ = is_short;
  tell_(is_short);
}

void MemoryWatch::Trim(uint64_t resident) {
  if (resident < least_ + kWorthIt) return;
  malloc_trim(0);
  least_ = std::min(least_, static_cast<uint64_t>(ResidentBytes()));
}

}  // namespace wormhole::relay
