// A core holds tokens and sealed frames.
#ifndef WORMHOLE_RELAY_SERVER_CORE_DUMPS_H_
#define WORMHOLE_RELAY_SERVER_CORE_DUMPS_H_

#include "absl/status/status.h"

namespace wormhole::relay {

// No core of this process is written from now on, to a file or to the program that the kernel's
// core_pattern names, which does not heed the limit. Other users' processes, and those of the same
// user without privileges, cannot attach to this one or look at its memory. Before any thread is
// started. INTERNAL, with one line, when the kernel does not do it.
absl::Status ForbidCoreDumps();

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_CORE_DUMPS_H_
