#include "relay/store/etcd/third_party_notices.h"

namespace wormhole::relay {

void ThirdPartyNotices::Add(const ChannelRef& channel, uint32_t count) {
  EtcdNotice& waiting = notices_[channel.key];
  if (waiting.initiator != channel.initiator) waiting = {.initiator = channel.initiator};
  waiting.third_parties += count;
}

void ThirdPartyNotices::PutBack(const Notice& notice) {
  const auto [later, is_new] = notices_.insert(notice);
  if (is_new || later->second.initiator != notice.second.initiator) return;
  later->second.third_parties += notice.second.third_parties;
}

std::vector<ThirdPartyNotices::Notice> ThirdPartyNotices::Take(
    size_t limit, const std::function<bool(const ChannelKey&)>& has_calls) {
  std::vector<Notice> taken;
  for (auto notice = notices_.begin(); notice != notices_.end() && taken.size() < limit;) {
    if (has_calls(notice->first)) {
      passed_over_.insert(notice->first);
      ++notice;
      continue;
    }
    passed_over_.erase(notice->first);
    taken.emplace_back(*notice);
    notice = notices_.erase(notice);
  }
  return taken;
}

}  // namespace wormhole::relay
