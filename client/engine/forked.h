// What a forked child must not touch: its parent's exchanges, whose threads are not in the child,
// whose locks may be held for ever, and whose connections belong to the parent.
#ifndef WORMHOLE_CLIENT_ENGINE_FORKED_H_
#define WORMHOLE_CLIENT_ENGINE_FORKED_H_

#include <memory>

#include "absl/status/status.h"

namespace wormhole {

// FAILED_PRECONDITION, kForked: what every call in such a child gets.
absl::Status ForkedError();

// OK in a process that may make exchanges, and from now on none of its children may. ForkedError()
// in such a child. Takes no lock.
absl::Status ClaimProcess();
// The same, and claims nothing.
absl::Status CheckProcess();

// Keeps an object of the parent for as long as the child lives: its destructor would lock, and
// speak to the parent's relay. Takes no lock.
void KeepForever(std::shared_ptr<const void> object);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_FORKED_H_
