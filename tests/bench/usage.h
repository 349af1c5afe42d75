// What a process has used so far.
#ifndef WORMHOLE_TESTS_BENCH_USAGE_H_
#define WORMHOLE_TESTS_BENCH_USAGE_H_

#include <sys/types.h>

namespace wormhole::bench {

// CPU time of all threads, ended ones too, microseconds. 0 when the process is gone.
double CpuMicros(pid_t pid);
// Of this process.
double OwnCpuMicros();

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
