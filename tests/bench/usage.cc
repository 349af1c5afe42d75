#include "tests/bench/usage.h"

#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace wormhole::bench {
namespace {

double MicrosOf(clockid_t clock) {
  timespec time = {};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

}  // namespace

// The scheduler's own count in nanoseconds: /proc/PID/stat has ticks of 10 ms, and
// /proc/PID/schedstat the main thread only.
double CpuMicros(pid_t pid) {
  clockid_t clock = {};
  return clock_getcpuclockid(pid, &clock) == 0 ? MicrosOf(clock) : 0;
}

double OwnCpuMicros() { return MicrosOf(CLOCK_PROCESS_CPUTIME_ID); }

double ResidentKib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:" && status >> word) return std::stod(word);
  }
  return 0;
}

int Descriptors(pid_t pid) {
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/" + std::to_string(pid) + "/fd", error);
  return error ? 0 : static_cast<int>(std::distance(begin(open), end(open)));
}

double NowMicros() {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(limit.rlim_cur);
}

}  // namespace wormhole::bench
