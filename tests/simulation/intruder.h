// A third party: speaks to the relay about somebody else's channel, without the core.
#ifndef WORMHOLE_TESTS_SIMULATION_INTRUDER_H_
#define WORMHOLE_TESTS_SIMULATION_INTRUDER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "tests/simulation/random.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/transport.h"

namespace wormhole::simulation {

struct IntruderPlan {
  enum class Trick {
    kClaim,     // as a receiver
    kWait,      // as a receiver that comes first
    kResume,    // as a member, with a token of its own
    kAllocate,  // asks for the id by name
  };
  Trick trick = Trick::kResume;
  bool after_claim = false;  // comes when the receiver is a member already
  absl::Duration delay;      // from then, or from the code
};

class Intruder final : public StreamEvents {
 public:
  Intruder(const Stage* stage, Transport* transport, SimRandom random, int party, IntruderPlan plan,
           std::string app_id);

  void Attack(uint32_t channel_id);

  void OnResponse(const rendezvous::v1::AttachResponse& response) override;
  void OnEnded(const absl::Status& status) override;

 private:
  // Whatever a stranger might say to a channel that let it in.
  void Babble();

  const Stage* const stage_;
  Transport* const transport_;
  SimRandom random_;
  const int party_;
  const IntruderPlan plan_;
  const std::string app_id_;
  std::shared_ptr<ClientStream> stream_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_INTRUDER_H_
