// One stream between a client and the relay, with all that networks do to streams: each end may
// learn of its death soon, late or never, and what was on its way may come late or not at all.
#ifndef WORMHOLE_TESTS_SIMULATION_SIM_STREAM_H_
#define WORMHOLE_TESTS_SIMULATION_SIM_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/switchboard.h"
#include "tests/simulation/pipe.h"
#include "tests/simulation/random.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/transport.h"
#include "tests/simulation/wire_watcher.h"

namespace wormhole::simulation {

struct NetworkPlan {
  absl::Duration min_delay = absl::Microseconds(100);
  absl::Duration max_delay = absl::Milliseconds(30);
  absl::Duration mean_life = absl::InfiniteDuration();  // of a stream, while faults are on
  double failing_connects = 0;                          // while faults are on
  absl::Duration max_write = absl::Milliseconds(1);     // how long the relay writes one response
  bool in_turn = false;  // a client takes the relays in turn, not any of them
};

class SimStream final : public relay::Sink,
                        public ClientStream,
                        public std::enable_shared_from_this<SimStream> {
 public:
  // The relay's end; nothing when there is no relay to connect to.
  using Connect = std::function<std::shared_ptr<relay::Attachment>(std::shared_ptr<relay::Sink>)>;

  SimStream(const Stage* stage, const NetworkPlan& plan, WireWatcher* watcher, SimRandom random,
            int party, uint64_t number, StreamEvents* events);

  void Start(const rendezvous::v1::AttachRequest& open, Connect connect);
  // The relay's process is gone. `tells`: its machine still tells the client.
  void LoseRelay(bool tells);
  // Lets go of everything, at the end of a run.
  void TearDown();
  uint64_t number() const { return number_; }
  // Whether somebody beside the network still holds the relay's end.
  bool leaks() const { return !last_attachment_.expired(); }

  // ClientStream
  void Request(const rendezvous::v1::AttachRequest& request) override;
  void Drop(bool silent) override;

  // relay::Sink
  void Send(rendezvous::v1::AttachResponse response) override;
  void End(absl::Status status) override;
  void ReadMore() override { may_read_ = true; }
  void Flush() override;
  size_t Backlog() const override;

 private:
  void ArriveAtRelay(const rendezvous::v1::AttachRequest& request);
  void ConnectRelay(const Connect& connect);
  void Work();
  void WriteFirst();
  void FinishRelayEnd();
  // The relay's end learns that the stream is dead.
  void TellRelay();
  // The client's end learns that the stream has ended.
  void TellClient(const absl::Status& status);
  void Break();
  // How long until an end notices something, when it does.
  absl::Duration Notice();

  const Stage* const stage_;
  const NetworkPlan plan_;
  WireWatcher* const watcher_;
  SimRandom random_;
  const int party_;
  const uint64_t number_;
  StreamEvents* events_;  // null: the client has given it up, or was told that it has ended

  Pipe up_;
  Pipe down_;

  std::shared_ptr<relay::Attachment> attachment_;
  std::weak_ptr<relay::Attachment> last_attachment_;
  bool relay_over_ = false;
  bool may_read_ = true;
  std::optional<rendezvous::v1::AttachRequest> overtaken_;  // a flaw: comes after the next one
  std::deque<rendezvous::v1::AttachRequest> inbox_;
  std::deque<rendezvous::v1::AttachResponse> outbox_;
  size_t backlog_ = 0;
  mutable size_t told_backlog_ = 0;
  bool writing_ = false;
  bool working_ = false;
  std::optional<absl::Status> ending_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SIM_STREAM_H_
