#include "tests/simulation/ending_judge.h"

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"
#include "proto/wire/proto_time.h"

namespace wormhole::simulation {

using error::ErrorDetail;

// Ticks, commits, and what is on its way.
constexpr absl::Duration kLate = absl::Seconds(30);

void EndingJudge::OnOpen(int party, uint64_t stream, const std::string& app_id,
                         const std::string& side) {
  streams_[stream] = {.party = party, .side = {app_id, side}};
}

void EndingJudge::OnClose(uint64_t stream, rendezvous::v1::Mood mood) {
  if (const Told* told = ToldTo(stream)) moods_[told->channel].insert(mood);
}

void EndingJudge::OnAttached(uint64_t stream, const std::string& channel,
                             const rendezvous::v1::Opened& opened) {
  streams_[stream].attached = true;
  told_[streams_[stream].side] = {
      .channel = channel,
      .expires_at = absl::FromUnixSeconds(opened.expires_at().seconds()) +
                    absl::Nanoseconds(opened.expires_at().nanos())};
}

const EndingJudge::Told* EndingJudge::ToldTo(uint64_t stream) const {
  const auto opened = streams_.find(stream);
  if (opened == streams_.end()) return nullptr;
  const auto told = told_.find(opened->second.side);
  return told == told_.end() ? nullptr : &told->second;
}

std::optional<std::string> EndingJudge::OnSaid(uint64_t stream) {
  const Told* const told = ToldTo(stream);
  if (told == nullptr || !stage_->steady) return std::nullopt;
  if (!streams_.at(stream).attached) return std::nullopt;  // it may wait for another channel
  if (stage_->loop->wall() <= told->expires_at + kLate) return std::nullopt;
  return absl::StrCat("stream ", stream, " goes on after its channel's end");
}

std::optional<std::string> EndingJudge::OnEnding(uint64_t stream, const absl::Status& status,
                                                 bool heard) const {
  const std::optional<ErrorDetail> detail = error::DetailOf(status);
  const ErrorDetail::Reason reason = detail ? detail->reason() : ErrorDetail::REASON_UNSPECIFIED;
  const Told* const told = ToldTo(stream);
  switch (reason) {
    case ErrorDetail::REASON_BUSY:
    case ErrorDetail::REASON_DRAINING:
    case ErrorDetail::REASON_STORE_AWAY:
      if (!detail->has_retry_delay()) {
        return absl::StrCat("stream ", stream, " is not told when to come back");
      }
      // Who comes back with an older copy of its state is told so, too: raw clients have none.
      if (reason != ErrorDetail::REASON_STORE_AWAY || !heard || !stage_->steady) break;
      if (IsExchange(streams_.at(stream).party)) break;
      return absl::StrCat("stream ", stream, " is told that the store is away, which never is");
    case ErrorDetail::REASON_EXPIRED:
      // Of one that was closed it is told to who comes when another one has the id.
      if (told == nullptr || moods_.contains(told->channel)) break;
      if (stage_->loop->wall() + stage_->clock_error >= told->expires_at) break;
      return absl::StrCat("stream ", stream, "'s channel expires before its time");
    case ErrorDetail::REASON_CLOSED: {
      if (detail->mood() == rendezvous::v1::MOOD_UNSPECIFIED) {
        return absl::StrCat("stream ", stream, " is not told how its channel was closed");
      }
      const auto moods = told == nullptr ? moods_.end() : moods_.find(told->channel);
      if (moods == moods_.end() || moods->second.contains(detail->mood())) break;
      return absl::StrCat("stream ", stream, "'s channel was closed as nobody has closed it");
    }
    case ErrorDetail::REASON_UNSPECIFIED:
      if (status.ok() || !heard || !stage_->steady) break;
      if (!KeepsToTheRules(streams_.at(stream).party)) break;
      return absl::StrCat("stream ", stream, " ends without a reason: ", status.ToString());
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace wormhole::simulation
