// A store that forgets everything when the process ends. The relay with it is as durable as its
// process: what clients had posted is gone with it, and they are told so when they resume.
#ifndef WORMHOLE_RELAY_STORE_MEMORY_MEMORY_STORE_H_
#define WORMHOLE_RELAY_STORE_MEMORY_MEMORY_STORE_H_

#include "relay/store/memory/flush_queue.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/queued_store.h"

namespace wormhole::relay {

class MemoryStore final : public QueuedStore<MemoryChannels, FlushQueue> {
 public:
  MemoryStore() : QueuedStore(&channels_, &queue_) {}

 private:
  MemoryChannels channels_;  // of the thread that is in Flush
  FlushQueue queue_;         // last: it uses the channels
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_MEMORY_MEMORY_STORE_H_
