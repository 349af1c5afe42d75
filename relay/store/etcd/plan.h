// How the calls on one channel become a transaction of etcd, and its answer theirs. Pure.
//
// A batch has at most one transaction per channel, nested in the batch's own: etcd judges the
// conditions of all of them on the state before the batch, carries the operations out in their
// order, and refuses a batch that writes a key twice. A channel's transaction takes as many calls
// from the front of the channel's queue as go together:
//
// - ReadTxn: loads, reads and appends of frames that are stored already. It reads the channel's
//   state whole, and with it what the calls want.
// - WriteTxn: everything that changes something. It carries the calls out on a copy of what is
//   known of the channel, and writes the difference on the condition that what was known is still
//   so. If it is not, the transaction reads the state instead, and its calls are planned again.
#ifndef WORMHOLE_RELAY_STORE_ETCD_PLAN_H_
#define WORMHOLE_RELAY_STORE_ETCD_PLAN_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "relay/store/etcd/call.h"
#include "relay/store/etcd/channel_state.h"
#include "relay/store/etcd/channel_txn.h"

namespace wormhole::relay {

// Whether a transaction whose first call is this one would write. `state` as for PlanTxn.
bool WritesNext(const ChannelState* state, const EtcdCall& first);

// The next transaction for `calls`, which are not empty, or null when a lease is missing:
// `missing_lease` is then the time for which it is. `state` is null when nothing is known of the
// channel. The transaction has at most `max_bytes` of frames, but at least one frame.
std::unique_ptr<ChannelTxn> PlanTxn(const TxnContext& context, const ChannelKey& key,
                                    const ChannelState* state, const EtcdCalls& calls,
                                    size_t max_bytes, std::optional<absl::Time>& missing_lease);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_PLAN_H_
