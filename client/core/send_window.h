// How far the own frames have got on one stream, and which of them the relay takes next
// (proto/PROTOCOL.md section 2, rule 5 and "Sizes"). Pure.
#ifndef WORMHOLE_CLIENT_CORE_SEND_WINDOW_H_
#define WORMHOLE_CLIENT_CORE_SEND_WINDOW_H_

#include <cstdint>

#include "client/core/exchange_state.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::core {

class SendWindow {
 public:
  // Before the stream's Opened: nothing was sent, and the relay takes nothing.
  SendWindow() = default;
  explicit SendWindow(const rendezvous::v1::Opened& opened);

  uint64_t posted() const { return posted_; }            // own frames up to this one are stored
  uint64_t sent() const { return sent_; }                // own frames up to this one were sent
  uint64_t peer_cursor() const { return peer_cursor_; }  // how far the peer has accepted

  void OnSent(uint64_t number) { sent_ = number; }
  void OnPosted(uint64_t number) { posted_ = number; }
  void OnPeerCursor(uint64_t cursor) { peer_cursor_ = cursor; }  // may go down

  // Whether the relay takes frame `number`, one of state.frames, now.
  bool Admits(uint64_t number, const ExchangeState& state) const;

  // How much may lie between what a side has posted and what its peer has accepted, either way.
  uint64_t frames() const { return frames_; }
  uint64_t bytes() const { return bytes_; }
  // The longest frame that the relay takes.
  uint64_t max_frame_bytes() const { return max_frame_bytes_; }

 private:
  uint64_t posted_ = 0;
  uint64_t sent_ = 0;
  uint64_t peer_cursor_ = 0;
  uint64_t frames_ = 0;
  uint64_t bytes_ = 0;
  uint64_t max_frame_bytes_ = 0;
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_SEND_WINDOW_H_
