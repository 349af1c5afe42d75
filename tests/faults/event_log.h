// An append-only log of what one end has seen, for the checker to read. One line an event, written
// at once, so that a process that is killed leaves whole lines. Several processes may append to
// one file. Data, frames and tokens are never in it, only their hashes.
//
//   TIME app EXCHANGE i|r started HASH | restored | got HASH | failed REASON | finished
//   TIME wire STREAM open SIDE allocate|claim|resume CURSOR
//   TIME wire STREAM post NUMBER HASH [NONCE] | ack NUMBER | close MOOD
//   TIME wire STREAM opened CHANNEL STORED PEER_STORED PEER_FORGOTTEN | posted NUMBER
//   TIME wire STREAM message NUMBER HASH | end CODE REASON
//
// TIME is the machine's monotonic clock in nanoseconds: lines of several files can be merged.
#ifndef WORMHOLE_TESTS_FAULTS_EVENT_LOG_H_
#define WORMHOLE_TESTS_FAULTS_EVENT_LOG_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace wormhole::faults {

class EventLog {
 public:
  // Ends the process when the file cannot be opened: without a log nothing can be said.
  explicit EventLog(const std::string& path);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Any thread. `text` is the line after its time.
  void Add(std::string_view text);

  // Waits until so many lines more have been added by this object, at most `limit`.
  void AwaitMore(uint64_t lines, std::chrono::milliseconds limit);

 private:
  const int file_;
  std::mutex mutex_;
  std::condition_variable added_;
  uint64_t lines_ = 0;
};

// 32 hexadecimal digits that stand for `bytes`.
std::string HashOf(std::string_view bytes);
std::string Hex(std::string_view bytes);

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_EVENT_LOG_H_
