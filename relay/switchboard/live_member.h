// What a live channel keeps of one member, beside its record and its log.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_LIVE_MEMBER_H_
#define WORMHOLE_RELAY_SWITCHBOARD_LIVE_MEMBER_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "relay/channel/record.h"
#include "relay/channel/rules.h"
#include "relay/switchboard/post_queue.h"

namespace wormhole::relay {

class StreamAttachment;

// The member's stream here, what it has been sent, and what it is still to be told.
struct MemberStream {
  std::shared_ptr<StreamAttachment> stream;  // null: none
  uint64_t sent = 0;     // the last number of the peer's log that the stream has or was given
  bool reading = false;  // the store is reading frames for it
  // Its cursor is below what was forgotten: frames that it would need are gone, so it gets none.
  bool behind_trim = false;
  uint32_t third_parties = 0;
  // Its next request is to be asked for, once the queue of its posts has room.
  bool pending_read = false;
  // It is not, because the channel has posted too much lately.
  bool paused = false;
  // Held back while the stream has no room.
  bool pending_status = false;
  uint64_t pending_posted = 0;  // 0: none

  // Whether the peer's frame with this number is the very next one for the stream.
  bool Expects(uint64_t number) const { return MayBeSent() && sent + 1 == number; }
  // Whether the peer's log, of which so much is stored, has frames that the stream lacks.
  bool Lacks(uint64_t stored) const { return MayBeSent() && sent < stored; }

 private:
  bool MayBeSent() const { return stream != nullptr && !reading && !behind_trim; }
};

// Pure, not thread-safe.
struct LiveMember {
  using Stream = std::shared_ptr<StreamAttachment>;

  MemberStream here;

  // What the member has asked for; this outlives its stream.
  PostQueue posts;
  bool revalidate = false;            // the record has changed since the held posts were judged
  uint64_t cursor = 0;                // of the peer's log
  bool accepting = false;             // the store is raising `accepted` to some cursor
  std::optional<Mood> close;          // after `posts` and `cursor`; the first mood counts
  Stream close_stream;                // whose Close has not become an operation yet
  uint32_t missed_third_parties = 0;  // while it had no stream

  bool attached() const { return here.stream != nullptr; }
  // Whether the store, or the next operation, has something of it to do.
  bool busy() const { return !posts.empty() || accepting || close_stream != nullptr; }
  // Whether its posts are done, so that its Close may become an operation. The record takes the
  // cursor along, so that an acknowledgement under way needs not be waited for.
  bool ReadyToClose() const { return close && close_stream != nullptr && posts.empty(); }
  // Whether it may post more before the store has answered. Always so for a client that keeps the
  // window; also bounds posts up to the reader's cursor, which no window does.
  bool TakesPosts(const ChannelLimits& limits) const {
    return posts.size() <= limits.window_frames && posts.held_bytes() <= limits.window_bytes;
  }

  // Puts `stream`, which has the peer's log up to `at`, in the place of any other. Of that log
  // everything up to `forgotten` is gone.
  void Attach(Stream stream, uint64_t at, uint64_t forgotten);
  void Detach() { here = {}; }
  void AddThirdParties(uint32_t count);
  // A stream asks to close.
  void AskToClose(const Stream& stream, Mood mood);
  // Drops what this stream has asked for and the store has not got.
  void Drop(const Stream& stream);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_LIVE_MEMBER_H_
