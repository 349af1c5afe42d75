// The search for a free channel id.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_ALLOCATION_H_
#define WORMHOLE_RELAY_SWITCHBOARD_ALLOCATION_H_

#include <cstdint>
#include <memory>

#include "relay/admission/refusal.h"
#include "relay/switchboard/channel_op.h"
#include "relay/switchboard/open_request.h"
#include "relay/switchboard/registry.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {

// One allocation, from its Open to a live channel that takes it. Draws ids until the store agrees
// that one is free, and leads a side that has a channel already to that. Its callbacks keep it
// alive.
class Allocation : public std::enable_shared_from_this<Allocation> {
 public:
  static void Start(std::shared_ptr<Registry> registry, std::shared_ptr<StreamAttachment> stream,
                    OpenRequest request);
  // Of somebody who may not allocate, for this reason: leads him to the channel that he has, and
  // refuses him if he has none.
  static void Repeat(std::shared_ptr<Registry> registry, std::shared_ptr<StreamAttachment> stream,
                     OpenRequest request, Refusal refusal);

  // For Start and Repeat.
  Allocation(std::shared_ptr<Registry> registry, std::shared_ptr<StreamAttachment> stream,
             OpenRequest request);

 private:
  Opener opener() const {
    return {.stream = stream_, .side = request_.side, .cursor = request_.cursor};
  }
  // There is no room for a further channel. A side that has one already is led to it all the same:
  // it only has not heard of it.
  void TurnAway(Refusal refusal);
  void Try();
  void OnRefused(CreateRefusal refusal, uint32_t other_id);
  void GiveUp();

  const std::shared_ptr<Registry> registry_;
  const std::shared_ptr<StreamAttachment> stream_;
  const OpenRequest request_;
  int draws_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_ALLOCATION_H_
