// One channel's transaction in a batch: the base of those that read and those that write. Pure.
#ifndef WORMHOLE_RELAY_STORE_ETCD_CHANNEL_TXN_H_
#define WORMHOLE_RELAY_STORE_ETCD_CHANNEL_TXN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "etcd_rpc.pb.h"
#include "relay/store/etcd/call.h"
#include "relay/store/etcd/channel_state.h"
#include "relay/store/etcd/keys.h"

namespace wormhole::relay {

// What transactions are written with.
struct TxnContext {
  const EtcdKeys* keys;
  std::string relay_id;  // this relay
  // The lease of what should be gone some time after `due_at`; 0: there is none yet.
  std::function<int64_t(absl::Time due_at)> lease;
  int64_t presence_lease = 0;
  // The latest time for which Store::Due was called: sides that rest until then rest no longer.
  absl::Time rested = absl::InfinitePast();
};

class ChannelTxn {
 public:
  virtual ~ChannelTxn() = default;

  const ChannelKey& key() const { return key_; }
  const etcdserverpb::TxnRequest& request() const { return request_; }
  // Leaves no request here.
  etcdserverpb::TxnRequest TakeRequest() { return std::move(request_); }
  // For the batch's limits: what etcd is sent, and what it answers with.
  int operations() const;
  size_t bytes() const { return request_.ByteSizeLong() + answer_bytes_; }
  // Whether it may write: its conditions need not hold.
  virtual bool writes() const = 0;
  // How many calls at the front of the queue it carries out.
  size_t taken() const { return taken_; }
  // Keys of sides that it writes, which another channel's transaction might write too.
  const std::vector<std::string>& side_keys() const { return side_keys_; }

  // The sides that its record brings along as attached here, and under which lease.
  virtual RoleSet attached() const { return {}; }
  int64_t presence_lease() const { return context_.presence_lease; }

  // Takes the answer over: brings `state` up to date, and takes the calls that are answered from
  // the front of `calls`. Returns whether the record was written.
  virtual bool Finish(const etcdserverpb::TxnResponse& response, int64_t revision,
                      ChannelState& state, EtcdCalls& calls, EtcdAnswers& answers) = 0;

 protected:
  ChannelTxn(const TxnContext& context, ChannelKey key) : context_(context), key_(std::move(key)) {}

  // Adds what reads the channel's state; StateOf takes it from the first two answers.
  void AddStateReads(google::protobuf::RepeatedPtrField<etcdserverpb::RequestOp>* operations);
  ChannelState StateOf(const etcdserverpb::TxnResponse& response, int64_t revision) const;

  const TxnContext context_;
  const ChannelKey key_;
  etcdserverpb::TxnRequest request_;
  size_t taken_ = 0;
  size_t answer_bytes_ = 0;
  std::vector<std::string> side_keys_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_CHANNEL_TXN_H_
