// Whether the system gives this process the threads that gRPC will start.
#ifndef WORMHOLE_CLIENT_STREAM_THREAD_REHEARSAL_H_
#define WORMHOLE_CLIENT_STREAM_THREAD_REHEARSAL_H_

#include "absl/status/status.h"

namespace wormhole {

// The number of gRPC's threads, with one or two to spare.
int ThreadsOfGrpc();

// Starts so many threads at once, with a little memory in use, and ends them. gRPC does not report
// a thread that it cannot start: it waits for that thread, and every try ends as if no relay were
// there.
// RESOURCE_EXHAUSTED, reason kInternal, when the system refuses one (a limit on threads or memory,
// as containers have). About a tenth of a millisecond for each.
absl::Status RehearseThreads(int count);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_THREAD_REHEARSAL_H_
