#include "relay/switchboard/responses.h"

#include <utility>

#include "proto/wire/proto_time.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::AttachResponse;
using rendezvous::v1::Opened;

void AssignTerms(const SwitchboardOptions& options, Opened& opened) {
  opened.mutable_limits()->set_max_frame_bytes(options.limits.max_frame_bytes);
  opened.mutable_limits()->set_window_frames(options.limits.window_frames);
  opened.mutable_limits()->set_window_bytes(options.limits.window_bytes);
  wire::Assign(options.heartbeat, *opened.mutable_heartbeat_interval());
  opened.set_motd(options.motd);
}

}  // namespace

AttachResponse WaitingResponse(uint32_t channel_id, const SwitchboardOptions& options) {
  AttachResponse response;
  Opened& opened = *response.mutable_opened();
  opened.set_state(Opened::STATE_WAITING);
  opened.set_channel_id(channel_id);
  opened.set_peer(rendezvous::v1::PRESENCE_ABSENT);
  AssignTerms(options, opened);
  return response;
}

AttachResponse OpenedResponse(uint32_t channel_id, const ChannelSnapshot& channel, Role role,
                              rendezvous::v1::Presence peer, const SwitchboardOptions& options) {
  AttachResponse response;
  Opened& opened = *response.mutable_opened();
  opened.set_state(Opened::STATE_ATTACHED);
  opened.set_channel_id(channel_id);
  wire::Assign(channel.record.due_at, *opened.mutable_expires_at());
  opened.set_stored(channel.log(role).stored);
  opened.set_peer_stored(channel.log(Other(role)).stored);
  opened.set_peer_forgotten(channel.log(Other(role)).forgotten);
  opened.set_peer_cursor(channel.log(role).accepted);
  opened.set_left(channel.record.member(role).left);
  opened.set_peer(peer);
  AssignTerms(options, opened);
  return response;
}

AttachResponse MessageResponse(uint64_t number, std::string frame) {
  AttachResponse response;
  response.mutable_message()->set_number(number);
  response.mutable_message()->set_frame(std::move(frame));
  return response;
}

AttachResponse PostedResponse(uint64_t number) {
  AttachResponse response;
  response.mutable_posted()->set_number(number);
  return response;
}

AttachResponse PeerStatusResponse(rendezvous::v1::Presence presence, uint64_t peer_cursor,
                                  uint32_t third_parties) {
  AttachResponse response;
  response.mutable_peer_status()->set_presence(presence);
  response.mutable_peer_status()->set_peer_cursor(peer_cursor);
  response.mutable_peer_status()->set_third_parties(third_parties);
  return response;
}

AttachResponse HeartbeatResponse() {
  AttachResponse response;
  response.mutable_heartbeat();
  return response;
}

AttachResponse DrainingResponse(absl::Duration delay) {
  AttachResponse response;
  wire::Assign(delay, *response.mutable_draining()->mutable_reconnect_delay());
  return response;
}

}  // namespace wormhole::relay
