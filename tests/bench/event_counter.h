// Counts what a server's threads do, by the kernel's performance events.
#ifndef WORMHOLE_TESTS_BENCH_EVENT_COUNTER_H_
#define WORMHOLE_TESTS_BENCH_EVENT_COUNTER_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace wormhole::bench {

enum class Event {
  kInstructions,  // outside the kernel, which is what a machine lets everybody count, if anything
  kSystemCalls,
};

// Makes what it counts slower: nothing else is to be measured meanwhile.
class EventCounter {
 public:
  // Counts from now on, in the threads that the processes have and in those that these start, also
  // when they have ended.
  EventCounter(Event event, const std::vector<pid_t>& processes);
  ~EventCounter();
  EventCounter(const EventCounter&) = delete;
  EventCounter& operator=(const EventCounter&) = delete;

  // Why nothing is counted. Empty: everything is.
  const std::string& trouble() const { return trouble_; }
  double Read() const;

 private:
  std::vector<int> counters_;  // one for each thread
  std::string trouble_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_EVENT_COUNTER_H_
