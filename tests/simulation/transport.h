// A stream to the relay, as a simulated client sees it.
#ifndef WORMHOLE_TESTS_SIMULATION_TRANSPORT_H_
#define WORMHOLE_TESTS_SIMULATION_TRANSPORT_H_

#include <memory>

#include "absl/status/status.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::simulation {

// Never called inside a call of the client's.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  virtual void OnResponse(const rendezvous::v1::AttachResponse& response) = 0;
  virtual void OnEnded(const absl::Status& status) = 0;
};

class ClientStream {
 public:
  virtual ~ClientStream() = default;
  virtual void Request(const rendezvous::v1::AttachRequest& request) = 0;
  // Gives the stream up. No event follows. `silent`: since nothing has come for too long.
  virtual void Drop(bool silent) = 0;
  void Drop() { Drop(false); }
};

class Transport {
 public:
  virtual ~Transport() = default;
  // `party` names the client in traces and for those who judge. `events` outlives the run.
  virtual std::shared_ptr<ClientStream> Open(int party, const rendezvous::v1::AttachRequest& open,
                                             StreamEvents* events) = 0;
  // For those who judge: the party's process has ended, and what it knew is gone.
  virtual void NoteCrash(int party) = 0;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_TRANSPORT_H_
