// One run of random operations on an SQLite store whose disk fails and loses power, from one seed.
#ifndef WORMHOLE_TESTS_STORE_CRASH_RUN_H_
#define WORMHOLE_TESTS_STORE_CRASH_RUN_H_

#include <cstdint>
#include <string>

namespace wormhole::relay {

struct CrashRunOptions {
  uint64_t seed = 0;
  int crashes = 3;
  bool lying_disk = false;    // says that it has synced and has not
  bool failing_disk = false;  // is full or broken now and then
};

// Empty, or what was wrong: after each crash the store must hold what it had acknowledged, in
// order, and of the rest at most one whole batch whose commit had failed. Every answer must be the
// one that MemoryChannels gives.
std::string RunCrashes(const CrashRunOptions& options);

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_CRASH_RUN_H_
