// The messages that a live channel sends.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_RESPONSES_H_
#define WORMHOLE_RELAY_SWITCHBOARD_RESPONSES_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/switchboard/options.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::relay {

rendezvous::v1::AttachResponse WaitingResponse(uint32_t channel_id,
                                               const SwitchboardOptions& options);
rendezvous::v1::AttachResponse OpenedResponse(uint32_t channel_id, const ChannelSnapshot& channel,
                                              Role role, rendezvous::v1::Presence peer,
                                              const SwitchboardOptions& options);
rendezvous::v1::AttachResponse MessageResponse(uint64_t number, std::string frame);
rendezvous::v1::AttachResponse PostedResponse(uint64_t number);
rendezvous::v1::AttachResponse PeerStatusResponse(rendezvous::v1::Presence presence,
                                                  uint64_t peer_cursor, uint32_t third_parties);
rendezvous::v1::AttachResponse HeartbeatResponse();
rendezvous::v1::AttachResponse DrainingResponse(absl::Duration delay);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_RESPONSES_H_
