#include "relay/switchboard/store_news.h"

#include "relay/switchboard/live_channel.h"

namespace wormhole::relay {

void StoreNews::OnId(const ChannelKey& key, bool exists, bool ended) {
  // No relay has made such a channel, but whoever may write to the store can.
  if (key.id == 0 || key.id > kMaxChannelId) return;
  registry_->SetId(key, !exists ? IdState::kFree : ended ? IdState::kResting : IdState::kTaken);
}

void StoreNews::OnChanged(const ChannelKey& key, const ChannelSnapshot* now) {
  if (const auto channel = registry_->Find(key)) channel->OnChanged(now);
}

void StoreNews::OnLog(const ChannelRef& channel, Role author, const LogState& log,
                      const StoredFrame* frame) {
  if (const auto live = registry_->Find(channel.key)) live->OnLog(channel, author, log, frame);
}

void StoreNews::OnPresence(const ChannelRef& channel, Role role, bool elsewhere) {
  if (const auto live = registry_->Find(channel.key)) live->OnPresence(channel, role, elsewhere);
}

void StoreNews::OnThirdParties(const ChannelRef& channel, uint32_t count) {
  if (const auto live = registry_->Find(channel.key)) live->OnThirdParties(channel, count);
}

void StoreNews::OnGap() {
  for (const auto& channel : registry_->Channels()) channel->OnChanged(nullptr);
}

// A live channel knows logs that grow, and its streams were told of what is gone. Their clients
// come back, and each sees by its Opened what has become of its channel.
void StoreNews::OnRestored() {
  for (const auto& channel : registry_->Channels()) channel->Stop();
}

}  // namespace wormhole::relay
