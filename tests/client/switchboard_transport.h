// A relay in this process: the switchboard that ships, with streams that are queues instead of
// gRPC. For tests of the client, alone and under ThreadSanitizer.
#ifndef WORMHOLE_TESTS_CLIENT_SWITCHBOARD_TRANSPORT_H_
#define WORMHOLE_TESTS_CLIENT_SWITCHBOARD_TRANSPORT_H_

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "client/engine/executor.h"
#include "client/stream/transport.h"
#include "proto/sync/mutex.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::testing {

class Wire;

// Streams whose two ends run on threads of this object, one task at a time for each stream. A
// stream delivers one request and one response at a time, when the other end asks for it, as gRPC
// does. Any thread.
class SwitchboardTransport : public Transport {
 public:
  // `switchboard` outlives the transport and its streams, or Shut.
  explicit SwitchboardTransport(relay::Switchboard* switchboard, int threads = 2);
  ~SwitchboardTransport() override;

  // Cuts what is left, and can be reached no more; waits until nothing uses the switchboard, whose
  // end may come then.
  void Shut();

  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override;

  // From now on the relay cannot be reached, or can again. Streams that are open are not touched.
  void SetReachable(bool reachable);
  // Every open stream breaks: both ends learn of it, and what was under way is lost.
  void CutAll();

  // How many streams were opened so far, those that could not reach the relay included.
  size_t opened() const;
  // Blocks until so many were.
  void AwaitOpened(size_t count);
  // Blocks until no stream is attached.
  void AwaitNoStreams();

 private:
  void Remove(const Wire* wire);

  relay::Switchboard* const switchboard_;
  mutable sync::Mutex mutex_;
  sync::CondVar changed_;
  bool reachable_ WORMHOLE_GUARDED_BY(mutex_) = true;
  size_t opened_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::map<const Wire*, std::shared_ptr<Wire>> wires_ WORMHOLE_GUARDED_BY(mutex_);
  const std::unique_ptr<Executor> executor_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_CLIENT_SWITCHBOARD_TRANSPORT_H_
