// Many programs that wait for somebody to come: initiators of the client library, each with threads
// and connections of its own.
#ifndef WORMHOLE_TESTS_BENCH_CROWD_H_
#define WORMHOLE_TESTS_BENCH_CROWD_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wormhole/wormhole.h"

namespace wormhole::bench {

class CrowdNotes;

// Looks on from the transport, which hears when a stream is attached; the library does as always.
class Crowd {
 public:
  // The relays of side `number` are `target(number)`. All are attached when this returns; else the
  // process ends.
  Crowd(int count, const std::function<std::string(int number)>& target);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // The sides that are attached to the relay with this message of the day.
  std::vector<int> At(const std::string& motd) const;

  // Waits until each of `sides` has been attached anew, and returns how long after `since` (of
  // NowMicros) it was, microseconds.
  std::vector<double> AwaitAgain(const std::vector<int>& sides, double since);

  // Exchanges that have ended, which none should.
  int failures() const;

 private:
  const std::shared_ptr<CrowdNotes> notes_;
  std::vector<Initiator> initiators_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_CROWD_H_
