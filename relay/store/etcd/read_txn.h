// The transaction of a batch that reads one channel. Pure.
#ifndef WORMHOLE_RELAY_STORE_ETCD_READ_TXN_H_
#define WORMHOLE_RELAY_STORE_ETCD_READ_TXN_H_

#include <memory>

#include "relay/store/etcd/channel_txn.h"

namespace wormhole::relay {

class ReadTxn final : public ChannelTxn {
 public:
  // Whether the call is one that only reads, as far as is known of the channel.
  static bool Reads(const ChannelState& state, const EtcdCall& call);

  // The first of `calls` reads, or nothing is known of the channel: then its state is read.
  static std::unique_ptr<ReadTxn> Plan(const TxnContext& context, const ChannelKey& key,
                                       const ChannelState* state, const EtcdCalls& calls);

  bool writes() const override { return false; }
  bool Finish(const etcdserverpb::TxnResponse& response, int64_t revision, ChannelState& state,
              EtcdCalls& calls, EtcdAnswers& answers) override;

 private:
  using ChannelTxn::ChannelTxn;

  // Adds what the call wants to be read; false when it is not one that reads.
  bool Add(const ChannelState* state, const EtcdCall& call);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_READ_TXN_H_
