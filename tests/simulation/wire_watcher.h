// Who sees everything that goes over the simulated network.
#ifndef WORMHOLE_TESTS_SIMULATION_WIRE_WATCHER_H_
#define WORMHOLE_TESTS_SIMULATION_WIRE_WATCHER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::simulation {

class WireWatcher {
 public:
  virtual ~WireWatcher() = default;
  // A client says this on its stream; the first is the open.
  virtual void OnRequest(int party, uint64_t stream,
                         const rendezvous::v1::AttachRequest& request) = 0;
  // The switchboard says this to a stream, which may never get there.
  virtual void OnSaid(uint64_t stream, const rendezvous::v1::AttachResponse& response) = 0;
  // The switchboard ends a stream with this. `heard`: its client has not given it up.
  virtual void OnEnding(uint64_t stream, const absl::Status& status, bool heard) = 0;
  // The stream is over as far as its relay is concerned.
  virtual void OnRelayOver(uint64_t stream) = 0;
  // A client is about to be handed this.
  virtual void OnResponse(int party, uint64_t stream,
                          const rendezvous::v1::AttachResponse& response) = 0;
  // A client hears that its stream has ended.
  virtual void OnEnded(int party, uint64_t stream, const absl::Status& status) = 0;
  // A client gives its stream up since it has heard nothing for too long.
  virtual void OnSilence(int party, uint64_t stream) = 0;
  // A client's process has ended, whatever it was about to do.
  virtual void OnCrash(int party) = 0;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_WIRE_WATCHER_H_
