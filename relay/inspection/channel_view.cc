#include "relay/inspection/channel_view.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "proto/wire/proto_time.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::Channel;
using rendezvous::v1::ChannelSide;

ChannelSide::Place PlaceOf(SideView side) {
  switch (side) {
    case SideView::kAbsent:
      return ChannelSide::PLACE_ABSENT;
    case SideView::kDetached:
      return ChannelSide::PLACE_DETACHED;
    case SideView::kHere:
      return ChannelSide::PLACE_HERE;
    case SideView::kElsewhere:
      return ChannelSide::PLACE_ELSEWHERE;
    case SideView::kLeft:
      return ChannelSide::PLACE_LEFT;
  }
  return ChannelSide::PLACE_UNSPECIFIED;
}

Channel::State StateOf(const ChannelRecord& record) {
  switch (record.life) {
    case Life::kClosed:
      return Channel::STATE_CLOSED;
    case Life::kExpired:
      return Channel::STATE_EXPIRED;
    case Life::kActive:
      break;
  }
  return record.member(Role::kReceiver).side.empty() ? Channel::STATE_WAITING_FOR_RECEIVER
                                                     : Channel::STATE_JOINED;
}

// For people; never below zero, whatever the clock does.
void AssignShort(absl::Duration from, google::protobuf::Duration& to) {
  wire::Assign(absl::Trunc(std::max(from, absl::ZeroDuration()), absl::Milliseconds(1)), to);
}

void ShowSide(const ChannelView& view, Role role, ChannelSide& side) {
  const LogState& log = view.snapshot.log(role);
  side.set_place(PlaceOf(view.sides[role]));
  side.set_frames_kept(static_cast<uint32_t>(log.stored - log.forgotten));
  side.set_bytes_kept(static_cast<uint32_t>(log.bytes));
}

}  // namespace

Channel ShowChannel(const ChannelView& view, absl::Time now) {
  const ChannelRecord& record = view.snapshot.record;
  Channel channel;
  channel.set_app_id(view.key.app_id);
  channel.set_channel_id(view.key.id);
  channel.set_state(StateOf(record));
  channel.set_mood(record.ended_by);
  channel.set_named(record.named);
  wire::Assign(record.created_at, *channel.mutable_created_at());
  AssignShort(now - record.created_at, *channel.mutable_age());
  AssignShort(record.due_at - now, *channel.mutable_time_left());
  ShowSide(view, Role::kInitiator, *channel.mutable_initiator());
  ShowSide(view, Role::kReceiver, *channel.mutable_receiver());
  channel.set_waiting(static_cast<uint32_t>(view.waiting));
  return channel;
}

}  // namespace wormhole::relay
