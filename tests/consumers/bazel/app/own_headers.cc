// Headers of this workspace that have the names of wormhole_sync's. Its own sources include theirs,
// so that they would not compile if they found these.
#include "client/core/exchange.h"
#include "proto/sync/mutex.h"
#include "tests/support/etcd_node.h"
#include "wormhole/wormhole.h"

static_assert(consumer::kExchange + consumer::kMutex + consumer::kEtcdNode == 111, "");
