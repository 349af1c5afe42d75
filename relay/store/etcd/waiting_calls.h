// The calls that wait for etcd: a queue per channel, and an order in which channels are served; and
// one queue of questions for sides, which belong to no channel. Pure: the time comes in as a value.
// One thread.
#ifndef WORMHOLE_RELAY_STORE_ETCD_WAITING_CALLS_H_
#define WORMHOLE_RELAY_STORE_ETCD_WAITING_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/etcd/call.h"

namespace wormhole::relay {

// FindSide.
struct SideCall {
  std::string key;
  Store::Done<std::optional<uint32_t>> done;
  absl::Duration since;
};

class WaitingCalls {
 public:
  // A channel that is with etcd comes back into the order by Return.
  void Add(const ChannelKey& key, EtcdCall call);
  void AddSide(SideCall call) { sides_.push_back(std::move(call)); }

  // Whether any call on the channel waits or is with etcd; and whether one is with etcd.
  bool Has(const ChannelKey& key) const { return calls_.contains(key); }
  bool IsWithEtcd(const ChannelKey& key) const { return with_etcd_.contains(key); }
  // The channel's calls, those that are with etcd first.
  EtcdCalls& Of(const ChannelKey& key) { return calls_[key]; }

  // Offers the channels that wait, in their order, with their calls, which are not empty. `take`
  // says what becomes of the channel; when it goes to etcd, `taken` says how many calls from the
  // front go with it: none when its state has to be read first.
  enum class Offered {
    kGoes,
    kWaits,  // keeps its place
    kEnd,    // keeps its place, and so do all that follow
  };
  using Take = std::function<Offered(const ChannelKey&, const EtcdCalls&, size_t& taken)>;
  void Offer(const Take& take);
  // The channel is with etcd no more. If calls of it are left, it goes to the end of the order, or
  // to the front.
  void Return(const ChannelKey& key, bool first = false);
  // The side call that has waited longest; nothing when there is none.
  std::optional<SideCall> TakeSide();

  // Each of these answers the calls that it drops with `status`.
  void FailAll(const absl::Status& status, EtcdAnswers& answers);
  void FailChannel(const ChannelKey& key, const absl::Status& status, EtcdAnswers& answers);
  // Those that have waited for `patience`, or `creation_patience` when they create a channel. Those
  // that are with etcd stay: they have an answer coming.
  void FailOverdue(absl::Duration now, absl::Duration patience, absl::Duration creation_patience,
                   const absl::Status& status, EtcdAnswers& answers);

 private:
  // In the order in which channels are served; those that are with etcd are not in it.
  std::deque<ChannelKey> order_;
  std::map<ChannelKey, EtcdCalls> calls_;  // in order: what fails at once is answered in it
  // How many calls at the front of a channel's queue are with etcd.
  absl::flat_hash_map<ChannelKey, size_t> with_etcd_;
  std::deque<SideCall> sides_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_WAITING_CALLS_H_
