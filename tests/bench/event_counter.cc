#include "tests/bench/event_counter.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>

#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

// The kernel's number for "a system call begins", which it says in a file system that has to be
// mounted, and that often root alone may read.
std::optional<uint64_t> SystemCallEvent() {
  for (const char* const tracing : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::ifstream file(std::string(tracing) + "/events/raw_syscalls/sys_enter/id");
    if (uint64_t id = 0; file >> id) return id;
  }
  return std::nullopt;
}

perf_event_attr InstructionEvent() {
  perf_event_attr attributes = {};
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  return attributes;
}

int Open(perf_event_attr attributes, pid_t thread) {
  attributes.size = sizeof(attributes);
  attributes.inherit = 1;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  return static_cast<int>(syscall(SYS_perf_event_open, &attributes, thread, /*cpu=*/-1,
                                  /*group_fd=*/-1, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

EventCounter::EventCounter(Event event, const std::vector<pid_t>& processes) {
  perf_event_attr attributes = InstructionEvent();
  if (event == Event::kSystemCalls) {
    const std::optional<uint64_t> id = SystemCallEvent();
    if (!id) {
      trouble_ = "no tracefs is mounted that this user may read";
      return;
    }
    attributes = {.type = PERF_TYPE_TRACEPOINT, .config = *id};
  }
  for (const pid_t process : processes) {
    for (const pid_t thread : Threads(process)) {
      const int counter = Open(attributes, thread);
      if (counter >= 0) {
        counters_.push_back(counter);
      } else if (errno != ESRCH) {  // ESRCH: it has just ended
        trouble_ = std::string("perf_event_open says \"") + std::strerror(errno) + "\"";
        return;
      }
    }
  }
}

EventCounter::~EventCounter() {
  for (const int counter : counters_) close(counter);
}

double EventCounter::Read() const {
  double sum = 0;
  for (const int counter : counters_) {
    struct {
      uint64_t value, enabled, running;  // the times: counters are shared with others
    } count = {};
    if (read(counter, &count, sizeof(count)) != sizeof(count) || count.running == 0) continue;
    sum += static_cast<double>(count.value) * static_cast<double>(count.enabled) /
           static_cast<double>(count.running);
  }
  return sum;
}

}  // namespace wormhole::bench
