#include "tests/simulation/pace_judge.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"

namespace wormhole::simulation {

void PaceJudge::Ask(int party, const google::protobuf::Duration& delay) {
  // Of raw clients nobody expects it.
  if (!IsExchange(party)) return;
  absl::Duration& until = not_before_[party];
  until = std::max(until, stage_->loop->now() + absl::Seconds(delay.seconds()) +
                              absl::Nanoseconds(delay.nanos()));
}

std::optional<std::string> PaceJudge::OnOpen(int party) {
  const auto asked = not_before_.find(party);
  if (asked == not_before_.end()) return std::nullopt;
  const absl::Duration early = asked->second - stage_->loop->now();
  not_before_.erase(asked);
  if (early <= absl::Milliseconds(1)) return std::nullopt;
  return absl::StrCat("client ", party, " comes back ", absl::FormatDuration(early),
                      " before its relay has asked it to");
}

void PaceJudge::OnResponse(int party, const rendezvous::v1::AttachResponse& response) {
  if (response.has_draining()) Ask(party, response.draining().reconnect_delay());
}

void PaceJudge::OnEnded(int party, const absl::Status& status) {
  const std::optional<error::ErrorDetail> detail = error::DetailOf(status);
  if (detail && detail->has_retry_delay()) Ask(party, detail->retry_delay());
}

std::optional<std::string> PaceJudge::OnSilence(int party, uint64_t stream) const {
  if (!stage_->steady || !KeepsToTheRules(party)) return std::nullopt;
  return absl::StrCat("client ", party, " hears nothing on stream ", stream,
                      " although nothing breaks");
}

}  // namespace wormhole::simulation
