// All that is in memory of one channel, from when the id is its own until it has ended.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_TENURE_H_
#define WORMHOLE_RELAY_SWITCHBOARD_TENURE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "relay/channel/record.h"
#include "relay/switchboard/post_queue.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {

// A member's stream here, and what it has been told.
struct Seat {
  std::shared_ptr<StreamAttachment> stream;  // null: none
  uint64_t sent = 0;  // the last number of the peer's log that the stream has or was given
  bool reading = false;
  // Its cursor is below what was forgotten: it gets no Message.
  bool behind_trim = false;
  uint32_t third_parties = 0;
  // Its next request is to be asked for, once the queue of its posts has room.
  bool pending_read = false;
  // Held back while the stream has no room.
  bool pending_status = false;
  uint64_t pending_posted = 0;
};

// What a member has asked for; outlives its stream.
struct Work {
  PostQueue posts;
  uint64_t cursor = 0;  // of the peer's log
  bool accepting = false;
  std::optional<Mood> close;  // after `posts` and `cursor`; the first mood counts
  std::shared_ptr<StreamAttachment> close_stream;  // whose Close has not become an op yet
  uint32_t missed_third_parties = 0;               // while it had no stream
};

// A channel's tenure of its id. An id is used again, so whatever belongs to one of its channels is
// in here and nowhere else: the next channel gets a new tenure, and whoever still works for the
// one before (an op that finishes, an answer of the store) holds on to that one and writes into
// what nobody reads any more. A channel that has ended has a tenure too, with its record alone.
struct Tenure {
  explicit Tenure(ChannelRecord record) : snapshot{.record = std::move(record)} {}

  Seat& seat(Role role) { return seats[role]; }
  Work& work(Role role) { return works[role]; }

  // What the store had at some time, version 0: nothing; or it is believed to have nothing.
  ChannelSnapshot snapshot;
  PerRole<Seat> seats;
  PerRole<Work> works;
  // The observer, or another relay's, was told that both sides are attached.
  bool paired = false;
  // The record has changed since the held posts were judged.
  RoleSet revalidate;  // by author
  // Posts of a version that the store no longer has wait for this load.
  uint64_t posts_need_load = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_TENURE_H_
