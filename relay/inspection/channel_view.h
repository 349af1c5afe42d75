// A channel as InspectionService shows it.
#ifndef WORMHOLE_RELAY_INSPECTION_CHANNEL_VIEW_H_
#define WORMHOLE_RELAY_INSPECTION_CHANNEL_VIEW_H_

#include "absl/time/time.h"
#include "relay/switchboard/switchboard_view.h"
#include "wormhole/rendezvous/v1/inspection.pb.h"

namespace wormhole::relay {

rendezvous::v1::Channel ShowChannel(const ChannelView& view, absl::Time now);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_INSPECTION_CHANNEL_VIEW_H_
