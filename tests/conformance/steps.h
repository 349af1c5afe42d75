// Moments of a case at which more happens than a relay's script can do: the client is killed and
// started again, or the other side comes.
#ifndef WORMHOLE_TESTS_CONFORMANCE_STEPS_H_
#define WORMHOLE_TESTS_CONFORMANCE_STEPS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/conformance/scripts.h"

namespace wormhole::conformance {

struct Step {
  // What becomes of the request: nothing, nor of the stream's later ones; a post is stored, and
  // that is all; or what is honest.
  enum class Fate { kLost, kStored, kHonest };
  enum class Then { kRestart, kPeerComes };

  // None: an initiator has shown its code, which is no request.
  Arm at = Arm::REQUEST_NOT_SET;
  uint64_t number = 0;  // of the post, or of the stream that `open` is the first of, from 1; 0: any
  Fate fate = Fate::kLost;
  Then then = Then::kRestart;
};

// Waits for the relay to come to the steps that are requests, one after the other.
class Steps {
 public:
  explicit Steps(const std::vector<Step>& steps);

  // `script`, which sees only what is not a step's.
  Script Watched(Script script) const;
  // Until the relay has come to the next one; false when it does not within `seconds`.
  bool AwaitNext(int seconds);

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_STEPS_H_
