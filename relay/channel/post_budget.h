// How much both sides of one channel together may post in a time. Pure: no clock, no locks.
#ifndef WORMHOLE_RELAY_CHANNEL_POST_BUDGET_H_
#define WORMHOLE_RELAY_CHANNEL_POST_BUDGET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "relay/channel/rules.h"

namespace wormhole::relay {

// A token bucket. It holds a whole window, or a second's bytes if these are more, so that an
// exchange, which is a few frames, never waits. Whoever has an empty one waits before the next
// frame and not before this one: the size of a frame is known only when it is here. So a frame may
// be larger than all that the bucket holds, and the bucket then owes the rest.
//
// Only that time is kept at which the bucket is full again: what it holds or owes follows from it.
class PostBudget {
 public:
  // What a frame costs beside its bytes: the store writes keys, numbers and states with each,
  // however short it is.
  static constexpr uint64_t kFrameCost = 1024;

  // A full one. `bytes_per_second` 0: no limit.
  PostBudget(uint64_t bytes_per_second, const ChannelLimits& limits)
      : bytes_per_second_(bytes_per_second),
        burst_(Cost(std::max<uint64_t>(bytes_per_second,
                                       limits.window_bytes + limits.window_frames * kFrameCost))) {}

  // A frame of so many bytes was posted.
  void Take(size_t bytes, absl::Duration now) {
    full_at_ = std::max(full_at_, now) + Cost(bytes + kFrameCost);
  }
  // Whether it owes nothing, so that another frame may come.
  bool Allows(absl::Duration now) const { return full_at_ - now <= burst_; }
  bool IsFull(absl::Duration now) const { return full_at_ <= now; }

 private:
  // The time in which so many bytes come back.
  absl::Duration Cost(uint64_t bytes) const {
    if (bytes_per_second_ == 0) return absl::ZeroDuration();
    return absl::Seconds(static_cast<int64_t>(bytes)) / static_cast<int64_t>(bytes_per_second_);
  }

  uint64_t bytes_per_second_;
  absl::Duration burst_;
  absl::Duration full_at_ = -absl::InfiniteDuration();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CHANNEL_POST_BUDGET_H_
