// A thread that nobody waits for.
#ifndef WORMHOLE_CLIENT_STREAM_DETACHED_H_
#define WORMHOLE_CLIENT_STREAM_DETACHED_H_

#include <functional>

namespace wormhole {

// Runs `work` on a thread of its own, which takes no signals: these belong to the application's
// threads. False when the system gives no thread. The process may end while `work` runs, so `work`
// must not use what the end of the process destroys.
bool RunDetached(std::function<void()> work);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_DETACHED_H_
