// gRPC streams that are written down on their way: what a client says, before it is sent, and what
// the relay says, before the client hears of it.
#ifndef WORMHOLE_TESTS_FAULTS_RECORDING_TRANSPORT_H_
#define WORMHOLE_TESTS_FAULTS_RECORDING_TRANSPORT_H_

#include <functional>
#include <memory>

#include "client/stream/grpc_transport.h"
#include "client/stream/transport.h"
#include "tests/faults/event_log.h"

namespace wormhole::faults {

// Told of each step, on the thread that takes it; a program may end itself there.
struct StepHooks {
  std::function<void()> before_send;
  std::function<void()> after_send;
  std::function<void()> before_response;
};

class RecordingTransport final : public Transport {
 public:
  explicit RecordingTransport(std::shared_ptr<EventLog> log, StepHooks hooks = {});

  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override;

 private:
  const std::shared_ptr<EventLog> log_;
  const std::shared_ptr<const StepHooks> hooks_;
  GrpcTransport grpc_;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_RECORDING_TRANSPORT_H_
