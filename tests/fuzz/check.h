// What a fuzz target holds an input to.
#ifndef WORMHOLE_TESTS_FUZZ_CHECK_H_
#define WORMHOLE_TESTS_FUZZ_CHECK_H_

#include <cstdlib>

namespace wormhole::fuzz {

// Ends the process, which is how libFuzzer hears of it, when it does not hold.
inline void Check(bool holds) {
  if (!holds) abort();
}

}  // namespace wormhole::fuzz

#endif  // WORMHOLE_TESTS_FUZZ_CHECK_H_
