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
  // How many lines may wait to be written, some 400 bytes each. Ten times the lines of a thousand
  // streams that end at once; a reader that stands still costs no more memory.
  size_t queue_lines = 4096;
  // How long the destructor waits for a reader that stands still.
  std::chrono::milliseconds exit_timeout{1000};
};

// Thread-safe. A thread of the log's own writes, so that no caller waits for whoever reads standard
// error. When nobody reads, the log drops the oldest waiting lines, and its next line says how
// many.
class Log {
 public:
  using Level = LogChoice::Level;

  explicit Log(const LogChoice& choice, LogOptions options = {});
  // Writes the waiting lines, or drops them after LogOptions::exit_timeout.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool Takes(Level level) const { return level >= choice_.level; }
  // Whole addresses of clients, instead of their networks.
  bool addresses() const { return choice_.addresses; }

  // Does nothing below the log's level. Callers never pass codes, tokens or frames.
  void Write(Level level, std::string_view message, std::vector<LogField> fields = {});
  void Info(std::string_view message, std::vector<LogField> fields = {}) {
    Write(Level::kInfo, message, std::move(fields));
  }

  // How many lines the log has dropped since the start.
  uint64_t lines_lost() const;

 private:
  class Sink;

  const LogChoice choice_;
  const std::chrono::milliseconds exit_timeout_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;  // the queue and its thread
  const std::shared_ptr<Sink> sink_;
  const std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_LOG_H_
