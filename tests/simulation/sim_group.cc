#include "tests/simulation/sim_group.h"

#include <algorithm>

#include "tests/simulation/sim_front.h"

namespace wormhole::simulation {

SimGroup::SimGroup(const Stage* stage, StorePlan store, GroupPlan plan, SimRandom random)
    : stage_(stage), store_(store), plan_(plan), random_(random) {}

SimGroup::~SimGroup() = default;

RelayStore* SimGroup::AddRelay() {
  fronts_.push_back(std::make_unique<SimFront>(this, random_.Fork()));
  return fronts_.back().get();
}

void SimGroup::OnStored() {
  for (; seen_ < tables_.history().size(); ++seen_) {
    const relay::GroupTables::News& news = tables_.history()[seen_];
    if (news.kind != relay::GroupTables::News::Kind::kRecord) continue;
    const std::optional<relay::ChannelSnapshot> now = tables_.channels().Load(news.key);
    if (!now.has_value()) continue;
    for (const relay::Member& member : now->record.members) {
      members_.emplace(news.key.app_id, member.side);
    }
  }
  for (const auto& front : fronts_) front->Watch();
}

bool SimGroup::IsDurableMember(const std::string& app_id, const std::string& side) const {
  return members_.contains({app_id, side});
}

bool SimGroup::HasChannels() const {
  bool any = false;
  tables_.channels().ForEach([&any](const relay::ChannelKey&, relay::IdState) { any = true; });
  return any;
}

std::string SimGroup::PeerOf(const std::string& app_id, const std::string& side) const {
  const std::optional<uint32_t> id = tables_.channels().FindSide(app_id, side);
  if (!id.has_value()) return "";
  const relay::ChannelRecord record = tables_.channels().Load({app_id, *id})->record;
  const bool initiator = record.member(relay::Role::kInitiator).side == side;
  return record.member(initiator ? relay::Role::kReceiver : relay::Role::kInitiator).side;
}

absl::Duration SimGroup::InTouchSince() const {
  absl::Duration since;
  for (const auto& front : fronts_) since = std::max(since, front->in_touch_since());
  return since;
}

}  // namespace wormhole::simulation
