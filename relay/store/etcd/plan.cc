#include "relay/store/etcd/plan.h"

#include <variant>

#include "relay/store/etcd/read_txn.h"
#include "relay/store/etcd/write_txn.h"

namespace wormhole::relay {

bool WritesNext(const ChannelState* state, const EtcdCall& first) {
  // A new channel is written without a look first, on the condition that there is none.
  const auto* const put = std::get_if<PutCall>(&first.what);
  if (state == nullptr) return put != nullptr && put->expected == 0;
  return !ReadTxn::Reads(*state, first);
}

std::unique_ptr<ChannelTxn> PlanTxn(const TxnContext& context, const ChannelKey& key,
                                    const ChannelState* state, const EtcdCalls& calls,
                                    size_t max_bytes, std::optional<absl::Time>& missing_lease) {
  if (!WritesNext(state, calls.front())) return ReadTxn::Plan(context, key, state, calls);
  static const ChannelState nothing;
  if (state == nullptr) state = &nothing;
  return WriteTxn::Plan(context, key, *state, calls, max_bytes, missing_lease);
}

}  // namespace wormhole::relay
