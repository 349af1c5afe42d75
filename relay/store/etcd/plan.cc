#include "relay/store/etcd/plan.h"

#include <algorithm>
#include <utility>

#include "relay/store/etcd/read_txn.h"
#include "relay/store/etcd/write_txn.h"

namespace wormhole::relay {

int ChannelTxn::operations() const {
  return std::max({request_.compare_size(), request_.success_size(), request_.failure_size()});
}

void ChannelTxn::AddStateReads(
    google::protobuf::RepeatedPtrField<etcdserverpb::RequestOp>* operations) {
  operations->Add()->mutable_request_range()->set_key(context_.keys->Record(key_));
  etcdserverpb::RangeRequest* const states = operations->Add()->mutable_request_range();
  states->set_key(context_.keys->States(key_));
  states->set_range_end(EndOfPrefix(context_.keys->States(key_)));
}

ChannelState ChannelTxn::StateOf(const etcdserverpb::TxnResponse& response,
                                 int64_t revision) const {
  return ChannelState::Read(*context_.keys, response.responses(0).response_range(),
                            response.responses(1).response_range(), revision);
}

bool WritesNext(const ChannelState* state, const EtcdCall& first) {
  // A new channel is written on the belief that there is none.
  const auto* const put = std::get_if<PutCall>(&first.what);
  if (state == nullptr) return put != nullptr && put->expected == 0;
  return !ReadTxn::Reads(*state, first);
}

std::unique_ptr<ChannelTxn> PlanPart(const TxnContext& context, const ChannelKey& key,
                                     const ChannelState* state, const EtcdCalls& calls,
                                     size_t max_bytes, std::optional<absl::Time>& missing_lease) {
  if (!WritesNext(state, calls.front())) return ReadTxn::Plan(context, key, state, calls);
  static const ChannelState nothing;
  if (state == nullptr) state = &nothing;
  return WriteTxn::Plan(context, key, *state, calls, max_bytes, missing_lease);
}

}  // namespace wormhole::relay
