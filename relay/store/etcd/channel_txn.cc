#include "relay/store/etcd/channel_txn.h"

#include <algorithm>

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

}  // namespace wormhole::relay
