// What a process has used so far.
#ifndef WORMHOLE_TESTS_BENCH_USAGE_H_
#define WORMHOLE_TESTS_BENCH_USAGE_H_

#include <sys/types.h>

#include <map>
#include <vector>

namespace wormhole::bench {

// CPU time of all threads, ended ones too, microseconds. 0 when the process is gone.
double CpuMicros(pid_t pid);
// Of this process.
double OwnCpuMicros();

// The threads that the process has now.
std::vector<pid_t> Threads(pid_t pid);

// How often each of the process's threads has given up a processor, or lost it, so far.
using ContextSwitches = std::map<pid_t, double>;
ContextSwitches ContextSwitchesOf(pid_t pid);
// How often it was from one count to the next. A thread that has ended between them takes what it
// did since the first along; one that has begun counts whole.
double SwitchesBetween(const ContextSwitches& before, const ContextSwitches& after);

// Resident memory, KiB. 0 when the process is gone.
double ResidentKib(pid_t pid);

// How many files and connections it has open. 0 when the process is gone.
int Descriptors(pid_t pid);

// The steady clock, microseconds.
double NowMicros();

// As many descriptors as the system lets this process have; returns how many.
int RaiseDescriptorLimit();

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_USAGE_H_
