// Keeps this process from writing a core, which would hold tokens and sealed frames.
#ifndef WORMHOLE_RELAY_SERVER_CORE_DUMPS_H_
#define WORMHOLE_RELAY_SERVER_CORE_DUMPS_H_

#include "absl/status/status.h"

namespace wormhole::relay {

// From now on the kernel writes no core of this process, neither to a file nor to the program that
// its core_pattern names (which ignores the size limit). Other users' processes, and unprivileged
// ones of the same user, can neither attach to this one nor read its memory. Call it before any
// thread starts. INTERNAL, with one line, when the kernel refuses.
absl::Status ForbidCoreDumps();

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_CORE_DUMPS_H_
