// One direction of a stream: what goes in comes out in order, later, or not at all.
#ifndef WORMHOLE_TESTS_SIMULATION_PIPE_H_
#define WORMHOLE_TESTS_SIMULATION_PIPE_H_

#include <deque>
#include <functional>

#include "absl/time/time.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/random.h"

namespace wormhole::simulation {

class Pipe {
 public:
  // Must outlive the loop's events.
  Pipe(EventLoop* loop, SimRandom random, absl::Duration min_delay, absl::Duration max_delay)
      : loop_(loop), random_(random), min_delay_(min_delay), max_delay_(max_delay) {}

  // `deliver` runs at the other end.
  void Push(std::function<void()> deliver);
  // Everything that is on its way comes that much later.
  void Stall(absl::Duration extra);
  // Nothing enters any more.
  void Cut() { cut_ = true; }
  // Nothing comes out any more.
  void Drop();

 private:
  struct Item {
    absl::Duration at;
    std::function<void()> deliver;
  };

  void Wait();
  void DeliverFirst();

  EventLoop* const loop_;
  SimRandom random_;
  const absl::Duration min_delay_;
  const absl::Duration max_delay_;
  bool cut_ = false;
  bool waiting_ = false;
  std::deque<Item> items_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_PIPE_H_
