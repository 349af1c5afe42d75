#include "tests/simulation/third_party_judge.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"

namespace wormhole::simulation {

namespace {

// A stream that has no room for it is told later.
constexpr absl::Duration kToldWithin = absl::Seconds(10);

}  // namespace

void ThirdPartyJudge::OnOpen(int party, uint64_t number, const std::string& side,
                             const rendezvous::v1::Open& open) {
  Stream& stream = streams_[number];
  stream.party = party;
  stream.app_id = open.app_id();
  stream.side = side;
  if (!open.has_claim()) return;
  stream.id = {open.app_id(), open.claim().channel_id()};
  claims_[stream.id][number] = {.side = side, .ended = std::nullopt};
}

void ThirdPartyJudge::OnAttached(uint64_t number, const std::string& name, uint32_t id) {
  Stream& stream = streams_[number];
  stream.id = {stream.app_id, id};
  stream.channel = name;
  const auto [entry, is_new] = channels_.try_emplace(name);
  if (is_new) entry->second.begun = stage_->loop->now();
  entry->second.members.insert(stream.side);
  entry->second.streams[stream.side].insert(number);
}

// One that has ended before the channel was there was refused because of another one, or none.
uint32_t ThirdPartyJudge::ClaimsOn(const Channel& channel, const Id& id) const {
  const auto claims = claims_.find(id);
  if (claims == claims_.end()) return 0;
  return static_cast<uint32_t>(
      std::count_if(claims->second.begin(), claims->second.end(), [&channel](const auto& entry) {
        const Claim& claim = entry.second;
        const bool before = claim.ended.has_value() && *claim.ended < channel.begun;
        return !before && !channel.members.contains(claim.side);
      }));
}

std::optional<std::string> ThirdPartyJudge::OnSaid(uint64_t number,
                                                   const rendezvous::v1::AttachResponse& response) {
  Stream& stream = streams_[number];
  if (stream.channel.empty()) return std::nullopt;
  if (response.has_peer_status()) {
    stream.told = std::max(stream.told, response.peer_status().third_parties());
  }
  const Channel& channel = channels_.at(stream.channel);
  uint32_t told = 0;
  for (const uint64_t one : channel.streams.at(stream.side)) told += streams_[one].told;
  // A side that is at two relays for a moment may hear of one at both.
  if (stage_->alone && told > ClaimsOn(channel, stream.id)) {
    return absl::StrCat("stream ", number, " is told of ", told, " third parties, of ",
                        ClaimsOn(channel, stream.id));
  }
  const bool late = stage_->loop->now() > stream.owed_since + kToldWithin;
  if (stream.owed > stream.told && late) {
    return absl::StrCat("stream ", number, " is told of ", stream.told, " third parties, of ",
                        stream.owed);
  }
  return std::nullopt;
}

void ThirdPartyJudge::OnEnding(uint64_t number, const absl::Status& status) {
  OnOver(number);
  if (error::ReasonOf(status) != error::ErrorDetail::REASON_CROWDED) return;
  if (!stage_->steady || !stage_->alone) return;
  for (auto& [other, stream] : streams_) {
    if (stream.over || stream.channel.empty() || stream.id != streams_[number].id) continue;
    if (!IsExchange(stream.party)) continue;
    ++stream.owed;
    stream.owed_since = stage_->loop->now();
  }
}

void ThirdPartyJudge::OnOver(uint64_t number) {
  Stream& stream = streams_[number];
  stream.over = true;
  const auto claims = claims_.find(stream.id);
  if (claims == claims_.end()) return;
  const auto claim = claims->second.find(number);
  if (claim == claims->second.end() || claim->second.ended.has_value()) return;
  claim->second.ended = stage_->loop->now();
}

}  // namespace wormhole::simulation
