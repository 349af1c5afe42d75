// What this relay has still to tell the others of third parties: how many claims it has refused, by
// channel. Pure; one thread.
#ifndef WORMHOLE_RELAY_STORE_ETCD_THIRD_PARTY_NOTICES_H_
#define WORMHOLE_RELAY_STORE_ETCD_THIRD_PARTY_NOTICES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "relay/channel/record.h"
#include "relay/store/etcd/channel_state.h"

namespace wormhole::relay {

class ThirdPartyNotices {
 public:
  using Notice = std::pair<ChannelKey, EtcdNotice>;

  // Another initiator's channel takes the place of the one that had the id.
  void Add(const ChannelRef& channel, uint32_t count);
  // Nothing is known of what has become of a notice: it is told again, with what has come since.
  void PutBack(const Notice& notice);

  // The notices that go now, at most `limit`. Those whose channel `has_calls` in the same batch are
  // passed over: the calls may delete all of the channel's keys, and etcd refuses a batch that
  // writes a key twice.
  std::vector<Notice> Take(size_t limit, const std::function<bool(const ChannelKey&)>& has_calls);
  // The last Take has passed over the channel's notice: the channel's calls let it go first.
  bool IsPassedOver(const ChannelKey& key) const {
    return passed_over_.contains(key) && notices_.contains(key);
  }

 private:
  std::map<ChannelKey, EtcdNotice> notices_;
  std::set<ChannelKey> passed_over_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_THIRD_PARTY_NOTICES_H_
