// Virtual time: what happens next, in one thread.
#ifndef WORMHOLE_TESTS_SIMULATION_EVENT_LOOP_H_
#define WORMHOLE_TESTS_SIMULATION_EVENT_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"

namespace wormhole::simulation {

class EventLoop {
 public:
  enum class Stop { kDone, kIdle, kTime, kEvents };

  // Since the beginning of the run.
  absl::Duration now() const { return absl::Nanoseconds(now_); }
  // The same for those who want a date.
  absl::Time wall() const { return absl::FromUnixSeconds(1'700'000'000) + now(); }

  // Runs `action` after `delay` (never inside this call); those of the same moment in the order in
  // which they were asked for.
  void After(absl::Duration delay, std::function<void()> action);

  // Runs events until `done` says so, there are none, `until` has come, or there have been
  // `max_events` since the beginning.
  Stop Run(absl::Duration until, size_t max_events, const std::function<bool()>& done);

  size_t events() const { return events_; }

 private:
  struct Event {
    int64_t at;
    uint64_t order;
    std::function<void()> action;
    bool operator<(const Event& other) const {  // the heap has the largest in front
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  int64_t now_ = 0;
  uint64_t order_ = 0;
  size_t events_ = 0;
  std::vector<Event> heap_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_EVENT_LOOP_H_
