// How the calls on one channel become a transaction of etcd, and its answer theirs. Pure.
//
// A batch has at most one part per channel, a transaction of its own nested in the batch's: etcd
// judges the conditions of all parts on the state before the batch, carries the operations out in
// their order, and refuses a batch that writes a key twice. A part takes as many calls from the
// front of the channel's queue as go together:
//
// - ReadTxn: loads, reads and appends of frames that are stored already. It reads the channel's
//   state whole, and with it what the calls want.
// - WriteTxn: everything that changes something. The calls are carried out on a copy of what is
//   known of the channel, and the difference is written on the condition that what was known is
//   still so. If it is not, the part reads the state instead, and its calls are planned again.
#ifndef WORMHOLE_RELAY_STORE_ETCD_PLAN_H_
#define WORMHOLE_RELAY_STORE_ETCD_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "etcd_rpc.pb.h"
#include "relay/store/etcd/call.h"
#include "relay/store/etcd/channel_state.h"
#include "relay/store/etcd/keys.h"

namespace wormhole::relay {

// What parts are written with.
struct TxnContext {
  const EtcdKeys* keys;
  std::string relay_id;  // this relay
  // The lease of what should be gone some time after `due_at`; 0: there is none yet.
  std::function<int64_t(absl::Time due_at)> lease;
  int64_t presence_lease = 0;
  // The last time that Store::Due was asked for: sides that rest until then do no longer.
  absl::Time rested = absl::InfinitePast();
};

class ChannelTxn {
 public:
  virtual ~ChannelTxn() = default;

  const ChannelKey& key() const { return key_; }
  const etcdserverpb::TxnRequest& request() const { return request_; }
  // Leaves none here.
  etcdserverpb::TxnRequest TakeRequest() { return std::move(request_); }
  // For the batch's limits: what is sent and what is to be read.
  int operations() const;
  size_t bytes() const { return request_.ByteSizeLong() + answer_bytes_; }
  // Whether it may: its conditions need not hold.
  virtual bool writes() const = 0;
  // How many calls at the front of the queue it carries out.
  size_t taken() const { return taken_; }
  // Keys of sides that it writes, which another channel's part might write too.
  const std::vector<std::string>& side_keys() const { return side_keys_; }

  // The sides that its record brings along as attached here, by Role, and under which lease.
  virtual RoleSet attached() const { return {}; }
  int64_t presence_lease() const { return context_.presence_lease; }

  // Takes the answer over: `image` is made current, answered calls leave the front of `calls`.
  // Returns whether the record was written.
  virtual bool Finish(const etcdserverpb::TxnResponse& response, int64_t revision,
                      ChannelState& state, EtcdCalls& calls, EtcdAnswers& answers) = 0;

 protected:
  ChannelTxn(const TxnContext& context, ChannelKey key) : context_(context), key_(std::move(key)) {}

  // Reads the state. The answers are the first two.
  void AddStateReads(google::protobuf::RepeatedPtrField<etcdserverpb::RequestOp>* operations);
  ChannelState StateOf(const etcdserverpb::TxnResponse& response, int64_t revision) const;

  const TxnContext context_;
  const ChannelKey key_;
  etcdserverpb::TxnRequest request_;
  size_t taken_ = 0;
  size_t answer_bytes_ = 0;
  std::vector<std::string> side_keys_;
};

// Whether a part whose first call is this one would write. `image` as for PlanPart.
bool WritesNext(const ChannelState* state, const EtcdCall& first);

// The next part for `calls`, which are not empty, or null when a lease is missing: `missing_lease`
// is then the time for which it is. `image` is null when nothing is known of the channel. At most
// `max_bytes` of frames, but at least one.
std::unique_ptr<ChannelTxn> PlanPart(const TxnContext& context, const ChannelKey& key,
                                     const ChannelState* state, const EtcdCalls& calls,
                                     size_t max_bytes, std::optional<absl::Time>& missing_lease);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_PLAN_H_
