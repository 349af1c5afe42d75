#include "client/core/send_window.h"

#include <algorithm>

#include "proto/wire/limits.h"

namespace wormhole::core {

// Does not believe a relay that grants a smaller window than it must. Believes one that takes
// smaller frames than it must: it would refuse a longer frame.
SendWindow::SendWindow(const rendezvous::v1::Opened& opened)
    : posted_(opened.stored()),
      sent_(opened.stored()),
      peer_cursor_(opened.peer_cursor()),
      frames_(std::max(opened.limits().window_frames(), wire::kMinWindowFrames)),
      bytes_(std::max(opened.limits().window_bytes(), wire::kMinWindowBytes)),
      max_frame_bytes_(opened.limits().max_frame_bytes() == 0 ? wire::kMinFrameLimit
                                                              : opened.limits().max_frame_bytes()) {
}

bool SendWindow::Admits(uint64_t number, const ExchangeState& state) const {
  if (state.frames[number - state.dropped - 1].size() > max_frame_bytes_) return false;
  if (number <= peer_cursor_) return true;
  uint64_t bytes = 0;
  for (uint64_t n = std::max(peer_cursor_, state.dropped) + 1; n <= number; ++n) {
    bytes += state.frames[n - state.dropped - 1].size();
  }
  return number - peer_cursor_ <= frames_ && bytes <= bytes_;
}

}  // namespace wormhole::core
