#include "relay/store/etcd/plan.h"

#include <algorithm>
#include <utility>

#include "relay/store/etcd/read_part.h"
#include "relay/store/etcd/write_part.h"

namespace wormhole::relay {

int ChannelPart::operations() const {
  return std::max({request_.compare_size(), request_.success_size(), request_.failure_size()});
}

void ChannelPart::AddStateReads(
    google::protobuf::RepeatedPtrField<etcdserverpb::RequestOp>* operations) {
  operations->Add()->mutable_request_range()->set_key(context_.keys->Record(key_));
  etcdserverpb::RangeRequest* const states = operations->Add()->mutable_request_range();
  states->set_key(context_.keys->States(key_));
  states->set_range_end(EndOfPrefix(context_.keys->States(key_)));
}

ChannelImage ChannelPart::StateOf(const etcdserverpb::TxnResponse& response,
                                  int64_t revision) const {
  return ChannelImage::Read(*context_.keys, response.responses(0).response_range(),
                            response.responses(1).response_range(), revision);
}

bool WritesNext(const ChannelImage* image, const EtcdCall& first) {
  // A new channel is written on the belief that there is none.
  const auto* const put = std::get_if<PutCall>(&first.what);
  if (image == nullptr) return put != nullptr && put->expected == 0;
  return !ReadPart::Reads(*image, first);
}

std::unique_ptr<ChannelPart> PlanPart(const PartContext& context, const ChannelKey& key,
                                      const ChannelImage* image, const EtcdCalls& calls,
                                      size_t max_bytes, std::optional<absl::Time>& missing_lease) {
  if (!WritesNext(image, calls.front())) return ReadPart::Plan(context, key, image, calls);
  static const ChannelImage nothing;
  if (image == nullptr) image = &nothing;
  return WritePart::Plan(context, key, *image, calls, max_bytes, missing_lease);
}

}  // namespace wormhole::relay
