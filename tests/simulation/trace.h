// What happened in a run, line by line. Off unless a run is replayed to be read.
#ifndef WORMHOLE_TESTS_SIMULATION_TRACE_H_
#define WORMHOLE_TESTS_SIMULATION_TRACE_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/simulation/event_loop.h"

namespace wormhole::simulation {

class Trace {
 public:
  Trace(const EventLoop* loop, bool on) : loop_(loop), on_(on) {}

  bool on() const { return on_; }

  template <typename... Parts>
  void Line(const Parts&... parts) {
    if (!on_) return;
    lines_.push_back(absl::StrCat(absl::FormatDuration(loop_->now()), " ", parts...));
  }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  const EventLoop* const loop_;
  const bool on_;
  std::vector<std::string> lines_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_TRACE_H_
