#include "relay/switchboard/store_watch.h"

#include "relay/switchboard/live_channel.h"

namespace wormhole::relay {

void StoreWatch::OnId(const ChannelKey& key, IdState state) {
  // No relay makes such a channel, but anybody with access to the store can.
  if (key.id == 0 || key.id > kMaxChannelId) return;
  registry_->SetId(key, state);
}

void StoreWatch::OnChanged(const ChannelKey& key, const ChannelSnapshot* now) {
  if (const auto channel = registry_->channels().Find(key)) channel->OnChanged(now);
}

void StoreWatch::OnLog(const ChannelRef& channel, Role author, const LogState& log,
                       const StoredFrame* frame) {
  if (const auto live = registry_->channels().Find(channel.key))
    live->OnLog(channel, author, log, frame);
}

void StoreWatch::OnPresence(const ChannelRef& channel, Role role, bool remote) {
  if (const auto live = registry_->channels().Find(channel.key))
    live->OnPresence(channel, role, remote);
}

void StoreWatch::OnThirdParties(const ChannelRef& channel, uint32_t count) {
  if (const auto live = registry_->channels().Find(channel.key))
    live->OnThirdParties(channel, count);
}

// After a store was restored from an older copy, a live channel cannot go on: it counts on logs
// that only grow, and has told its streams of frames that the store has no more. Their clients come
// back, and each sees by its Opened what has become of its channel.
void StoreWatch::OnReset(bool restored) {
  for (const auto& channel : registry_->channels().All()) {
    restored ? channel->Shutdown() : channel->OnChanged(nullptr);
  }
}

}  // namespace wormhole::relay
