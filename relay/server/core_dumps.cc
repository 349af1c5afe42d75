#include "relay/server/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

namespace wormhole::relay {

absl::Status ForbidCoreDumps() {
  const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  if (setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "cannot turn core dumps off; --core-dumps leaves them on");
}

}  // namespace wormhole::relay
