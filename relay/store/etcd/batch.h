// What goes to etcd at once: one transaction, and what each operation in it is for. Pure; one
// thread.
//
// etcd carries the operations out in their order and refuses a batch that writes a key twice, so
// that at most one of them concerns a channel. They are added in this order: the transactions of
// channels' calls, questions for sides, notices of third parties, presence, the relay's clock; the
// answer has them in the same order.
#ifndef WORMHOLE_RELAY_STORE_ETCD_BATCH_H_
#define WORMHOLE_RELAY_STORE_ETCD_BATCH_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "etcd_rpc.pb.h"
#include "relay/store/etcd/channel_txn.h"
#include "relay/store/etcd/clock_sync.h"
#include "relay/store/etcd/keys.h"
#include "relay/store/etcd/third_party_notices.h"
#include "relay/store/etcd/waiting_calls.h"

namespace wormhole::relay {

// What other relays are told of where a channel's sides are attached.
struct PresenceUpdate {
  std::unique_ptr<ChannelTxn> txn;
  EtcdCalls calls;
};

class EtcdBatch {
 public:
  // Of requests and answers, together. etcd's own limit is 1.5 MiB, unless its operator has changed
  // it.
  static constexpr size_t kMaxBytes = 1 << 20;

  // With `alone`, the batch is to have one thing only.
  EtcdBatch(const EtcdKeys* keys, bool alone) : keys_(keys), alone_(alone) {}

  bool empty() const { return request_.success_size() == 0; }
  // Whether anything in it may write.
  bool writes() const { return writes_; }
  // It has what it is to have alone.
  bool is_taken_alone() const { return alone_ && !empty(); }
  // How many more things have room that are no transactions of calls.
  size_t room() const;
  // How many bytes are left for a transaction of calls.
  size_t bytes_left() const;
  // How many things are in it, but for a probe; and how many calls of the store's users.
  size_t things() const;
  size_t calls() const;

  // False, and nothing added, when it is too much for one batch, or writes a key of a side that
  // another one here writes. The first one always has room.
  bool Add(std::unique_ptr<ChannelTxn>& txn);
  void Add(SideCall call);
  void Add(const ThirdPartyNotices::Notice& notice, std::string_view relay_id, int64_t lease);
  void Add(PresenceUpdate update);
  void Add(const ClockSync::Update& clock, std::string_view relay_id);
  // Shows whether etcd is there and takes writes: it reads a key, and would write the key on a
  // condition that never holds. An etcd that is full refuses that.
  void AddProbe();

  // Leaves no request here. One that writes asks for space on the way.
  etcdserverpb::TxnRequest TakeRequest();

  // What is in it, to be finished or undone.
  std::vector<std::unique_ptr<ChannelTxn>>& txns() { return txns_; }
  std::vector<SideCall>& sides() { return sides_; }
  const std::vector<ThirdPartyNotices::Notice>& notices() const { return notices_; }
  std::vector<PresenceUpdate>& presence() { return presence_; }
  const std::optional<ClockSync::Update>& clock() const { return clock_; }

 private:
  const EtcdKeys* const keys_;
  const bool alone_;
  etcdserverpb::TxnRequest request_;
  bool writes_ = false;
  int operations_ = 0;  // of the transactions of calls
  size_t bytes_ = 0;
  std::set<std::string> side_keys_;  // that they write
  std::vector<std::unique_ptr<ChannelTxn>> txns_;
  std::vector<SideCall> sides_;
  std::vector<ThirdPartyNotices::Notice> notices_;
  std::vector<PresenceUpdate> presence_;
  std::optional<ClockSync::Update> clock_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_BATCH_H_
