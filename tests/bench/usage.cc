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

std::vector<pid_t> Threads(pid_t pid) {
  std::error_code error;
  std::vector<pid_t> threads;
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    threads.push_back(std::stoi(entry->path().filename()));
  }
  return threads;
}

// /proc/PID/status has those of the main thread alone, and of threads that are over the kernel
// tells the parent only when the whole process is.
ContextSwitches ContextSwitchesOf(pid_t pid) {
  ContextSwitches switches;
  for (const pid_t thread : Threads(pid)) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) +
                         "/status");
    for (std::string word; status >> word;) {
      const bool counts =
          word == "voluntary_ctxt_switches:" || word == "nonvoluntary_ctxt_switches:";
      if (double count = 0; counts && status >> count) switches[thread] += count;
    }
  }
  return switches;
}

double SwitchesBetween(const ContextSwitches& before, const ContextSwitches& after) {
  double sum = 0;
  for (const auto& [thread, count] : after) {
    const auto known = before.find(thread);
    sum += known == before.end() ? count : count - known->second;
  }
  return sum;
}

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
