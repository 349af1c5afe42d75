// A receiver that comes first and stays, whatever becomes of its streams: it waits for an id that
// others draw, which it is never joined to, and so keeps alive what the relay has in memory of the
// id, while channels come and go under it.
#ifndef WORMHOLE_TESTS_SIMULATION_LURKER_H_
#define WORMHOLE_TESTS_SIMULATION_LURKER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "tests/simulation/random.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/transport.h"

namespace wormhole::simulation {

class Lurker final : public StreamEvents {
 public:
  Lurker(const Stage* stage, Transport* transport, SimRandom random, int party);

  void Wait(const std::string& app_id, uint32_t channel_id);
  // Goes without a word.
  void Leave();

  // It has become a member of a channel.
  bool joined() const { return joined_; }

  void OnResponse(const rendezvous::v1::AttachResponse& response) override;
  void OnEnded(const absl::Status& status) override;

 private:
  void Open();
  void Beat(uint64_t stream_count);

  const Stage* const stage_;
  Transport* const transport_;
  SimRandom random_;
  const int party_;
  rendezvous::v1::AttachRequest opening_;
  std::shared_ptr<ClientStream> stream_;
  uint64_t streams_ = 0;
  bool left_ = false;
  bool joined_ = false;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_LURKER_H_
