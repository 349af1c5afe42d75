// One stream between a client and a switchboard in the same process.
#ifndef WORMHOLE_TESTS_CLIENT_WIRE_H_
#define WORMHOLE_TESTS_CLIENT_WIRE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "client/engine/executor.h"
#include "client/stream/transport.h"
#include "proto/sync/mutex.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::testing {

// What is under way in both directions. One task of the executor at a time moves it; all else only
// takes note. Any thread.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  // `executor` outlives the wire's life, which ends with the call of `gone`. A wire without a
  // switchboard leads nowhere and breaks at once.
  Wire(Executor* executor, std::shared_ptr<StreamListener> listener,
       std::function<void(const Wire*)> gone);
  void Connect(relay::Switchboard* switchboard);

  std::shared_ptr<Stream> MakeClientEnd();

  // As if the network had failed.
  void Break();

 private:
  class ClientEnd;
  class RelayEnd;

  void Note(const std::function<void()>& note);
  void Pump();
  // One step; what to do is decided under the lock and done without. Empty: nothing to do.
  std::function<void()> NextStep() WORMHOLE_REQUIRES(mutex_);
  std::function<void()> LastStep(const absl::Status& status) WORMHOLE_REQUIRES(mutex_);

  Executor* const executor_;
  const std::function<void(const Wire*)> gone_;

  mutable sync::Mutex mutex_;
  std::shared_ptr<StreamListener> listener_ WORMHOLE_GUARDED_BY(mutex_);  // null: abandoned
  std::shared_ptr<relay::Attachment> attachment_ WORMHOLE_GUARDED_BY(mutex_);
  std::deque<rendezvous::v1::AttachRequest> requests_ WORMHOLE_GUARDED_BY(mutex_);
  std::deque<rendezvous::v1::AttachResponse> responses_ WORMHOLE_GUARDED_BY(mutex_);
  int wanted_requests_ WORMHOLE_GUARDED_BY(mutex_) = 1;
  int wanted_responses_ WORMHOLE_GUARDED_BY(mutex_) = 1;
  size_t backlog_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::optional<absl::Status> end_ WORMHOLE_GUARDED_BY(mutex_);  // the relay's last word
  bool broken_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool scheduled_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool over_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_CLIENT_WIRE_H_
