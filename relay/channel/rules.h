// The rules of a channel: who may join, post and close, and when it ends
// (proto/PROTOCOL.md section 2). Pure: values in, values out; no I/O, no clock, no locks.
//
// The switchboard reads a ChannelSnapshot from the store, asks a rule here what to do, and commits
// the ChannelRecord that the rule returns on the condition that the version has not changed.
// Refusals are absl::Status values with an ErrorDetail (proto/error/error_detail.h).
#ifndef WORMHOLE_RELAY_CHANNEL_RULES_H_
#define WORMHOLE_RELAY_CHANNEL_RULES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/limits.h"
#include "relay/channel/record.h"

namespace wormhole::relay {

// What a client has to keep, and how long things live.
struct ChannelLimits {
  // For clients that do not say; the library always does, a little more than its timeout.
  absl::Duration ttl_default = absl::Hours(1);
  // A week of holidays, after which nobody remembers the code.
  absl::Duration ttl_max = absl::Hours(24 * 7);
  // Longer than a code is spoken of after it was used: who comes late is told why, and meets nobody
  // else under the same number.
  absl::Duration quarantine = absl::Minutes(10);
  uint32_t max_frame_bytes = wire::kMinFrameLimit;
  // Of the largest frames as many as fit into a megabyte: an exchange has five in all, and a
  // channel costs no more than that in memory.
  uint32_t window_frames = 16;
  uint32_t window_bytes = 1 << 20;
};

// The record of a new channel. `ttl` <= 0 means the default; one above the maximum is cut to it.
// `receiver` is the side of a waiter that joins in the same transaction, or empty.
ChannelRecord NewChannel(std::string_view initiator, std::string_view receiver, bool named,
                         absl::Duration ttl, absl::Time now, const ChannelLimits& limits);

// The role of `side` in this channel. NOT_FOUND (CLOSED with its mood, EXPIRED) when the channel
// has ended, PERMISSION_DENIED (NOT_MEMBER) when the side is not a member.
absl::StatusOr<Role> JudgeResume(const ChannelRecord& record, std::string_view side,
                                 absl::Time now);

// The record after `side` has claimed the receiver's place; the same record when it has it
// already. NOT_FOUND as above, ALREADY_EXISTS (CROWDED) when another side has it,
// ALREADY_EXISTS (SIDE_IN_USE) when the side is the initiator.
absl::StatusOr<ChannelRecord> Claim(const ChannelRecord& record, std::string_view side,
                                    absl::Time now);

// A post that the client wants stored.
struct PostRequest {
  uint64_t number = 0;
  size_t bytes = 0;
  // Frames of this author that were taken before and are not stored yet.
  uint64_t pending_last = 0;  // number of the last one, 0 when there is none
  size_t pending_bytes = 0;   // of those beyond the reader's cursor, each number counted once
};

// Whether the author may post this now. A number up to log.stored is for the store to compare and
// passes. INVALID_ARGUMENT (MALFORMED: number 0, a gap, an over-long frame), RESOURCE_EXHAUSTED
// (WINDOW), FAILED_PRECONDITION (PEER_LEFT: beyond the cursor of a peer that has left; STALE_STATE:
// the author itself has left), NOT_FOUND as above.
absl::Status JudgePost(const ChannelSnapshot& channel, Role author, const PostRequest& post,
                       absl::Time now, const ChannelLimits& limits);

// The record after the side has left with this mood; the same record when it had left before.
// INVALID_ARGUMENT (MALFORMED) when the mood is none of the enum's. NOT_FOUND as above.
absl::StatusOr<ChannelRecord> Close(const ChannelRecord& record, Role role, Mood mood,
                                    absl::Time now, const ChannelLimits& limits);

// Whether receivers that came before the channel wait for this one: it was asked for by its id, has
// not ended, and its time is not over.
bool AcceptsWaiters(const ChannelRecord& record, absl::Time now);

enum class DueAction { kNothing, kPut, kErase };

// What has to happen to a channel that Store::Due brought up: an active one whose time is over
// expires (`record` becomes the ended one, to be put), an ended one whose quarantine is over is
// erased.
DueAction JudgeDue(ChannelRecord& record, absl::Time now, const ChannelLimits& limits);

// The status that tells a side that this channel has ended: CLOSED with the mood when `record` was
// closed, EXPIRED otherwise (an active record is one whose time is over).
absl::Status EndedError(const ChannelRecord& record);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CHANNEL_RULES_H_
