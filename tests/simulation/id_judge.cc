#include "tests/simulation/id_judge.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"

namespace wormhole::simulation {

namespace {

constexpr uint32_t kOneDigit = 9;
// A rest begins with the commit, and was told of later.
constexpr absl::Duration kToldLate = absl::Seconds(10);

}  // namespace

void IdJudge::OnOpen(uint64_t stream, const std::string& side, const rendezvous::v1::Open& open) {
  App& app = apps_[open.app_id()];
  const uint32_t named =
      open.has_claim() ? open.claim().channel_id() : open.allocate().channel_id();
  const bool draws = open.has_allocate() && named == 0;
  if (draws) app.drawing.try_emplace(stream);
  if (named != 0 && named <= kOneDigit) app.named.insert(named);
  streams_[stream] = {.app_id = open.app_id(), .side = side, .channel = "", .mood = std::nullopt};
}

void IdJudge::OnClose(uint64_t stream, rendezvous::v1::Mood mood) { streams_[stream].mood = mood; }

size_t IdJudge::OneDigitInUse(const App& app) const {
  std::set<uint32_t> ids = app.named;
  for (const auto& [name, channel] : app.channels) {
    const bool rested = channel.rests_from.has_value() &&
                        stage_->loop->now() > *channel.rests_from + stage_->quarantine + kToldLate;
    if (channel.id <= kOneDigit && !channel.over() && !rested) ids.insert(channel.id);
  }
  // An allocation may go on for a while when its stream is over.
  const auto drawing =
      std::count_if(app.drawing.begin(), app.drawing.end(), [this](const auto& one) {
        return !one.second.has_value() || stage_->loop->now() < *one.second + kToldLate;
      });
  return ids.size() + static_cast<size_t>(drawing);
}

std::optional<std::string> IdJudge::OnAttached(uint64_t stream, const std::string& name,
                                               uint32_t id) {
  Stream& opened = streams_[stream];
  App& app = apps_[opened.app_id];
  opened.channel = name;
  const bool is_new = !app.channels.contains(name);
  const bool drawn = app.drawing.erase(stream) > 0;
  if (!is_new || !stage_->alone) {
    app.channels[name].id = id;
    return std::nullopt;
  }
  std::optional<std::string> wrong;
  if (drawn && stage_->steady && id > kOneDigit && OneDigitInUse(app) < kOneDigit) {
    wrong = absl::StrCat("id ", id, " is drawn although shorter ones are free");
  }
  for (const auto& [other, channel] : app.channels) {
    if (channel.id != id || !channel.rests_from.has_value()) continue;
    if (stage_->loop->now() + kToldLate < *channel.rests_from + stage_->quarantine) {
      wrong = absl::StrCat("id ", id, " is drawn while it rests");
    }
  }
  app.channels[name].id = id;
  return wrong;
}

void IdJudge::OnOver(uint64_t stream) {
  const auto app = apps_.find(streams_[stream].app_id);
  if (app == apps_.end()) return;
  const auto drawing = app->second.drawing.find(stream);
  if (drawing != app->second.drawing.end() && !drawing->second)
    drawing->second = stage_->loop->now();
}

void IdJudge::OnEnding(uint64_t stream, const absl::Status& status) {
  OnOver(stream);
  const Stream& opened = streams_[stream];
  if (opened.channel.empty()) return;
  Channel& channel = apps_[opened.app_id].channels[opened.channel];
  const error::ErrorDetail detail = error::DetailOf(status).value_or(error::ErrorDetail());
  const bool left = status.ok() && opened.mood.has_value();
  const bool happy = left && *opened.mood == rendezvous::v1::MOOD_HAPPY;
  if (happy) channel.happy.insert(opened.side);
  const bool unhappy = (left && !happy) || detail.reason() == error::ErrorDetail::REASON_EXPIRED ||
                       (detail.reason() == error::ErrorDetail::REASON_CLOSED &&
                        detail.mood() != rendezvous::v1::MOOD_HAPPY);
  if (unhappy && !channel.rests_from) channel.rests_from = stage_->loop->now();
}

}  // namespace wormhole::simulation
