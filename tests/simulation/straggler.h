// A copy of an `open` that a network kept back until the channel had ended.
#ifndef WORMHOLE_TESTS_SIMULATION_STRAGGLER_H_
#define WORMHOLE_TESTS_SIMULATION_STRAGGLER_H_

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/transport.h"

namespace wormhole::simulation {

class Straggler final : public StreamEvents {
 public:
  // `own` is the channel that the sender was in; it may go on when a client could not say that it
  // leaves.
  Straggler(const Stage* stage, Transport* transport, int party,
            rendezvous::v1::AttachRequest opening, rendezvous::v1::Opened own)
      : stage_(stage),
        transport_(transport),
        party_(party),
        opening_(std::move(opening)),
        own_(std::move(own)) {}

  // Nobody stands behind the stream, which hangs for `stays`.
  void Arrive(absl::Duration stays);

  // The relay took it for a member of another channel.
  bool joined() const { return joined_; }

  void OnResponse(const rendezvous::v1::AttachResponse& response) override;
  void OnEnded(const absl::Status& status) override;

 private:
  const Stage* const stage_;
  Transport* const transport_;
  const int party_;
  const rendezvous::v1::AttachRequest opening_;
  const rendezvous::v1::Opened own_;
  std::shared_ptr<ClientStream> stream_;
  bool joined_ = false;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_STRAGGLER_H_
