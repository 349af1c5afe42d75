#include "relay/monitor/log.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>

#include "absl/time/clock.h"
#include "spdlog/async_logger.h"
#include "spdlog/details/thread_pool.h"
#include "spdlog/sinks/sink.h"

namespace wormhole::relay {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::string WriteLine(LogChoice::Format format, const LogLine& line) {
  return format == LogChoice::Format::kJson ? WriteJsonLine(line) : WriteTextLine(line);
}

}  // namespace

// Takes lines that are complete, and writes them on the log's thread.
class Log::Sink final : public spdlog::sinks::sink {
 public:
  // `queue` lives as long as its thread, which is longer than any call of `log`.
  Sink(LogChoice::Format format, int fd, spdlog::details::thread_pool* queue)
      : format_(format), fd_(fd), queue_(queue) {}

  void log(const spdlog::details::log_msg& line) override {
    TellLost();
    if (!Put({line.payload.data(), line.payload.size()})) ++unwritten_;
  }
  void flush() override {}  // nothing is kept back
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  // Any thread: what cannot be written by then is lost.
  void GiveUpAt(Clock::time_point deadline) { deadline_ = deadline; }
  // Any thread.
  uint64_t lost() const { return queue_->overrun_counter() + unwritten_; }

 private:
  void TellLost() {
    const uint64_t lost = this->lost();
    if (lost == told_) return;
    const LogLine line = {.time = absl::Now(),
                          .level = Level::kWarn,
                          .message = "lines of this log were lost: nobody read them in time",
                          .fields = {{"lines", lost - told_}}};
    if (Put(WriteLine(format_, line))) told_ = lost;
  }

  // Waits until a line can be written without blocking, so that the end can be waited for.
  bool AwaitRoom() {
    constexpr milliseconds kSlice(100);
    while (true) {
      const auto left = std::chrono::ceil<milliseconds>(deadline_.load() - Clock::now());
      pollfd room = {.fd = fd_, .events = POLLOUT, .revents = 0};
      const milliseconds slice = std::clamp(left, milliseconds(0), kSlice);
      if (poll(&room, 1, static_cast<int>(slice.count())) > 0) return true;
      if (left <= milliseconds(0)) return false;
    }
  }

  bool Put(std::string_view text) {
    while (!text.empty()) {
      if (!AwaitRoom()) return false;
      const ssize_t written = write(fd_, text.data(), text.size());
      if (written > 0) {
        text.remove_prefix(static_cast<size_t>(written));
      } else if (written == 0 || (errno != EINTR && errno != EAGAIN)) {
        return false;
      }
    }
    return true;
  }

  const LogChoice::Format format_;
  const int fd_;
  spdlog::details::thread_pool* const queue_;
  std::atomic<Clock::time_point> deadline_ = Clock::time_point::max();
  std::atomic<uint64_t> unwritten_ = 0;
  uint64_t told_ = 0;
};

Log::Log(const LogChoice& choice, LogOptions options)
    : choice_(choice),
      exit_timeout_(options.exit_timeout),
      pool_(std::make_shared<spdlog::details::thread_pool>(options.queue_lines, 1)),
      sink_(std::make_shared<Sink>(choice.format, options.fd, pool_.get())),
      logger_(std::make_shared<spdlog::async_logger>(
          "relay", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {}

Log::~Log() {
  sink_->GiveUpAt(Clock::now() + exit_timeout_);
  pool_.reset();  // its thread takes what waits, and ends
}

void Log::Write(Level level, std::string_view message, std::vector<LogField> fields) {
  if (!Takes(level)) return;
  const std::string line = WriteLine(
      choice_.format,
      {.time = absl::Now(), .level = level, .message = message, .fields = std::move(fields)});
  // spdlog's level is not used: the line has it.
  logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

uint64_t Log::lines_lost() const { return sink_->lost(); }

}  // namespace wormhole::relay
