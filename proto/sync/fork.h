// How a process learns that it is a forked child, where the threads of its parent are not, and
// where a mutex that one of them held stays locked for ever.
#ifndef WORMHOLE_PROTO_SYNC_FORK_H_
#define WORMHOLE_PROTO_SYNC_FORK_H_

#include <cstdint>

namespace wormhole::sync {

// How many times fork() stands between the process that loaded this code and the calling one. What
// remembers the number of its birth knows an object of the parent by it. As cheap as reading a
// variable; takes no lock; any thread, also in the child of a process with threads. A child made
// past the C library (a bare clone(), _Fork()) is taken for its parent.
uint64_t ForkGeneration();

}  // namespace wormhole::sync

#endif  // WORMHOLE_PROTO_SYNC_FORK_H_
