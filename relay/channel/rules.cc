#include "relay/channel/rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"

namespace wormhole::relay {
namespace {

using error::ErrorDetail;

bool IsExpired(const ChannelRecord& record, absl::Time now) {
  return record.life == Life::kActive && now >= record.due_at;
}

// OK while the channel lives.
absl::Status CheckAlive(const ChannelRecord& record, absl::Time now) {
  if (record.ended() || IsExpired(record, now)) return EndedError(record);
  return absl::OkStatus();
}

absl::Status Malformed(std::string_view field, std::string_view message) {
  return error::Make(ErrorDetail::REASON_MALFORMED, message, {.field = std::string(field)});
}

// What a store keeps of a time: a record that was loaded must equal the one that was put.
absl::Time Kept(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

void EndRecord(ChannelRecord& record, Life life, absl::Time now, const ChannelLimits& limits) {
  record.life = life;
  record.due_at = Kept(now + limits.quarantine);
}

// The window: what the author keeps beyond the reader's cursor, this post included.
absl::Status CheckWindow(const LogState& log, const PostRequest& post,
                         const ChannelLimits& limits) {
  if (post.number - log.accepted > limits.window_frames) {
    return error::Make(
        ErrorDetail::REASON_WINDOW,
        absl::StrCat("frame ", post.number, " is more than ", limits.window_frames,
                     " frames beyond ", log.accepted,
                     ", the last one that the peer has accepted; wait for its PeerStatus"));
  }
  const uint64_t bytes = log.bytes + post.pending_bytes + post.bytes;
  if (bytes > limits.window_bytes) {
    return error::Make(
        ErrorDetail::REASON_WINDOW,
        absl::StrCat("with frame ", post.number, " there would be ", bytes, " bytes beyond ",
                     log.accepted, ", the last frame that the peer has accepted, and ",
                     limits.window_bytes, " are allowed; wait for its PeerStatus"));
  }
  return absl::OkStatus();
}

}  // namespace

ChannelRecord NewChannel(std::string_view initiator, std::string_view receiver, bool named,
                         absl::Duration ttl, absl::Time now, const ChannelLimits& limits) {
  ChannelRecord record;
  record.named = named;
  record.created_at = Kept(now);
  if (ttl <= absl::ZeroDuration()) ttl = limits.ttl_default;
  record.due_at = Kept(now + std::min(ttl, limits.ttl_max));
  record.member(Role::kInitiator).side = std::string(initiator);
  record.member(Role::kReceiver).side = std::string(receiver);
  return record;
}

absl::StatusOr<Role> JudgeResume(const ChannelRecord& record, std::string_view side,
                                 absl::Time now) {
  for (Role role : kRoles) {
    if (side.empty() || record.member(role).side != side) continue;
    if (absl::Status alive = CheckAlive(record, now); !alive.ok()) return alive;
    return role;
  }
  // Only a member is told how a channel ended: a relay that was rolled back may remember
  // another one under this id.
  return error::Make(ErrorDetail::REASON_NOT_MEMBER,
                     "this token belongs to neither side of the channel");
}

absl::StatusOr<ChannelRecord> Claim(const ChannelRecord& record, std::string_view side,
                                    absl::Time now) {
  if (absl::Status alive = CheckAlive(record, now); !alive.ok()) return alive;
  if (record.member(Role::kInitiator).side == side) {
    return error::Make(ErrorDetail::REASON_SIDE_IN_USE,
                       "this token allocated the channel and cannot claim it too");
  }
  ChannelRecord next = record;
  Member& receiver = next.member(Role::kReceiver);
  if (!receiver.side.empty() && receiver.side != side) {
    return error::Make(ErrorDetail::REASON_CROWDED,
                       "two sides have this channel already; if you were to be one of them, agree "
                       "on a new code");
  }
  receiver.side = std::string(side);
  return next;
}

absl::Status JudgePost(const ChannelSnapshot& channel, Role author, const PostRequest& post,
                       absl::Time now, const ChannelLimits& limits) {
  const ChannelRecord& record = channel.record;
  const LogState& log = channel.log(author);
  if (absl::Status alive = CheckAlive(record, now); !alive.ok()) return alive;
  if (record.member(author).left) {
    // Another copy of the side's state has finished and left.
    return error::Make(
        ErrorDetail::REASON_STALE_STATE,
        "this side has left the channel, with another copy of its state, and may only "
        "close again");
  }
  if (post.number == 0) return Malformed("post.number", "frames are numbered from 1");
  if (post.bytes > limits.max_frame_bytes) {
    return Malformed("post.frame", absl::StrCat("a frame of ", post.bytes,
                                                " bytes is longer than the relay's limit of ",
                                                limits.max_frame_bytes));
  }
  const uint64_t last = std::max(log.stored, post.pending_last);
  if (post.number <= last) return absl::OkStatus();
  if (post.number != last + 1) {
    return Malformed("post.number",
                     absl::StrCat("frame ", post.number, " does not follow frame ", last));
  }
  if (post.number <= log.accepted) return absl::OkStatus();
  if (record.member(Other(author)).left) {
    return error::Make(ErrorDetail::REASON_PEER_LEFT,
                       absl::StrCat("the peer has left after accepting frame ", log.accepted,
                                    " and will not read frame ", post.number));
  }
  return CheckWindow(log, post, limits);
}

absl::StatusOr<ChannelRecord> Close(const ChannelRecord& record, Role role, Mood mood,
                                    absl::Time now, const ChannelLimits& limits) {
  if (absl::Status alive = CheckAlive(record, now); !alive.ok()) return alive;
  if (mood == rendezvous::v1::MOOD_UNSPECIFIED || !rendezvous::v1::Mood_IsValid(mood)) {
    return Malformed("close.mood", "the mood is none that this relay knows");
  }
  ChannelRecord next = record;
  if (next.member(role).left) return next;
  next.member(role).left = true;
  const Member& other = next.member(Other(role));
  if (mood != rendezvous::v1::MOOD_HAPPY || other.side.empty() || other.left) {
    EndRecord(next, Life::kClosed, now, limits);
    next.ended_by = mood;
  }
  return next;
}

bool AcceptsWaiters(const ChannelRecord& record, absl::Time now) {
  return record.version != 0 && record.named && !record.ended() && !IsExpired(record, now);
}

DueAction JudgeDue(ChannelRecord& record, absl::Time now, const ChannelLimits& limits) {
  if (now < record.due_at) return DueAction::kNothing;
  if (record.ended()) return DueAction::kErase;
  EndRecord(record, Life::kExpired, now, limits);
  return DueAction::kPut;
}

absl::Status EndedError(const ChannelRecord& record) {
  if (record.life != Life::kClosed) {
    return error::Make(ErrorDetail::REASON_EXPIRED,
                       "the channel's time is over; agree on a new code");
  }
  std::string_view mood = "for an unknown reason";
  switch (record.ended_by) {
    case rendezvous::v1::MOOD_HAPPY:
      mood = "happy: the exchange is complete";
      break;
    case rendezvous::v1::MOOD_LONELY:
      mood = "lonely: a side gave up waiting";
      break;
    case rendezvous::v1::MOOD_SCARY:
      mood = "scary: the keys of the two sides did not match";
      break;
    case rendezvous::v1::MOOD_ERRORY:
      mood = "errory: a side had an error of its own";
      break;
    default:
      break;
  }
  return error::Make(
      ErrorDetail::REASON_CLOSED,
      absl::StrCat("the channel was closed, ", absl::string_view(mood.data(), mood.size())),
      {.mood = record.ended_by});
}

}  // namespace wormhole::relay
