// The log on standard error.
#ifndef WORMHOLE_RELAY_MONITOR_LOG_H_
#define WORMHOLE_RELAY_MONITOR_LOG_H_

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/config/config.h"
#include "relay/monitor/log_line.h"

namespace spdlog {
class async_logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace wormhole::relay {

struct LogOptions {
  int fd = STDERR_FILENO;  // stays the caller's; not made non-blocking, others may share it
  // What may wait to be written, some 400 bytes each. Ten times what a thousand streams that end
  // at once bring; a reader that stands still costs no more.
  size_t queue_lines = 4096;
  // How long the end waits for a reader that stands still.
  std::chrono::milliseconds last_words{1000};
};

// Any thread. A thread of the log's own writes: whoever logs waits for nobody, also when nobody
// reads what is written. Then the oldest lines that wait are lost, and the next line that is
// written is one that says how many.
class Log {
 public:
  using Level = LogChoice::Level;

  explicit Log(const LogChoice& choice, LogOptions options = {});
  // Writes what waits still, or gives it up after LogOptions::last_words.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool Takes(Level level) const { return level >= choice_.level; }
  // Whole addresses of clients, instead of their networks.
  bool addresses() const { return choice_.addresses; }

  // Nothing happens below the log's level. Never codes, tokens or frames.
  void Write(Level level, std::string_view message, std::vector<LogField> fields = {});
  void Info(std::string_view message, std::vector<LogField> fields = {}) {
    Write(Level::kInfo, message, std::move(fields));
  }

  // Since the start.
  uint64_t lines_lost() const;

 private:
  class Sink;

  const LogChoice choice_;
  const std::chrono::milliseconds last_words_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;  // the queue and its thread
  const std::shared_ptr<Sink> sink_;
  const std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_LOG_H_
