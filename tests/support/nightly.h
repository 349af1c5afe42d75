// The long forms of tests, which `tests/run --nightly` asks for.
#ifndef WORMHOLE_TESTS_SUPPORT_NIGHTLY_H_
#define WORMHOLE_TESTS_SUPPORT_NIGHTLY_H_

#include <cstdlib>
#include <string_view>

namespace wormhole {

// Whether WORMHOLE_NIGHTLY=1 is in the environment.
inline bool IsNightly() {
  const char* const value = std::getenv("WORMHOLE_NIGHTLY");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace wormhole

#endif  // WORMHOLE_TESTS_SUPPORT_NIGHTLY_H_
