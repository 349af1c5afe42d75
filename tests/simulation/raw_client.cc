#include "tests/simulation/raw_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"

namespace wormhole::simulation {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

RawClient::RawClient(const Stage* stage, Transport* transport, SimRandom random, int party,
                     RawClientPlan plan)
    : stage_(stage),
      transport_(transport),
      random_(random),
      party_(party),
      plan_(plan),
      token_(32, '\0') {
  random_.Fill(reinterpret_cast<uint8_t*>(token_.data()), token_.size());
  for (uint64_t number = 1; number <= plan_.frames; ++number) {
    frames_.push_back(
        absl::StrCat(party_, "/", number, std::string(random_.Below(plan_.largest_frame), 'f')));
  }
}

void RawClient::Start(uint32_t channel_id, std::function<void(uint32_t)> on_joined,
                      std::function<void()> on_over) {
  channel_id_ = channel_id;
  rendezvous::v1::Open& open = *opening_.mutable_open();
  open.set_app_id(kChatApp);
  open.set_token(token_);
  if (channel_id == 0) {
    open.mutable_allocate()->mutable_ttl()->set_seconds(absl::ToInt64Seconds(plan_.ttl));
  } else {
    open.mutable_claim()->set_channel_id(channel_id);
  }
  on_joined_ = std::move(on_joined);
  on_over_ = std::move(on_over);
  Open();
}

void RawClient::Open() {
  if (over_) return;
  AttachRequest request = opening_;
  request.mutable_open()->set_cursor(cursor_);
  if (joined_) request.mutable_open()->mutable_resume()->set_channel_id(channel_id_);
  opened_ = closed_ = false;
  heard_ = stage_->loop->now();
  stream_ = transport_->Open(party_, request, this);
  Beat(++streams_);
}

void RawClient::Lose(bool silent) {
  if (stream_ != nullptr) stream_->Drop(silent);
  stream_.reset();
  stage_->loop->After(random_.Between(absl::Milliseconds(100), absl::Seconds(2)),
                      [this] { Open(); });
}

void RawClient::Beat(uint64_t stream_count) {
  stage_->loop->After(interval_, [this, stream_count] {
    if (stream_ == nullptr || stream_count != streams_) return;
    if (stage_->loop->now() - heard_ > 2.5 * interval_) return Lose(/*silent=*/true);
    AttachRequest request;
    request.mutable_heartbeat();
    stream_->Request(request);
    Beat(stream_count);
  });
}

void RawClient::OnEnded(const absl::Status& status) {
  stream_.reset();
  switch (error::ReasonOf(status)) {
    case error::ErrorDetail::REASON_UNSPECIFIED:
      if (status.ok() && closing_) return End("");
      break;
    case error::ErrorDetail::REASON_BUSY:
    case error::ErrorDetail::REASON_DRAINING:
    case error::ErrorDetail::REASON_STORE_AWAY:
    case error::ErrorDetail::REASON_SUPERSEDED:
      break;
    case error::ErrorDetail::REASON_WINDOW:
      if (cheated_) break;
      return End(status.ToString());
    case error::ErrorDetail::REASON_CLOSED:
    case error::ErrorDetail::REASON_NEVER_ALLOCATED:
    case error::ErrorDetail::REASON_EXPIRED:
    case error::ErrorDetail::REASON_NOT_MEMBER:
      // By both, and the answer was lost; another channel may have the id by now.
      if (closing_) return End("");
      [[fallthrough]];
    default:
      return End(status.ToString());
  }
  Lose();
}

void RawClient::Leave() {
  over_ = true;
  if (stream_ != nullptr) stream_->Drop();
  stream_.reset();
}

void RawClient::End(std::string failure) {
  failure_ = std::move(failure);
  Leave();
  on_over_();
}

void RawClient::OnResponse(const AttachResponse& response) {
  heard_ = stage_->loop->now();
  if (response.has_opened()) OnOpened(response.opened());
  if (response.has_message()) OnMessage(response.message());
  if (response.has_posted()) durable_ = std::max(durable_, response.posted().number());
  if (response.has_peer_status()) peer_cursor_ = response.peer_status().peer_cursor();
  if (stream_ != nullptr) Advance();
}

void RawClient::OnOpened(const rendezvous::v1::Opened& opened) {
  opened_ = true;
  channel_id_ = opened.channel_id();
  limits_ = opened.limits();
  // Sooner rather than later.
  interval_ = absl::Seconds(opened.heartbeat_interval().seconds());
  Beat(++streams_);
  sent_ = opened.stored();
  durable_ = std::max(durable_, opened.stored());
  peer_cursor_ = opened.peer_cursor();
  acknowledged_ = cursor_;
  unacknowledged_ = 0;
  if (!std::exchange(joined_, true)) on_joined_(channel_id_);
}

void RawClient::OnMessage(const rendezvous::v1::Message& message) {
  if (message.number() <= cursor_) return;
  if (message.number() != cursor_ + 1) return Lose();
  cursor_ = message.number();
  unacknowledged_ += message.frame().size();
  if (random_.Chance(plan_.eager_ack)) Acknowledge();
}

void RawClient::Acknowledge() {
  if (acknowledged_ == cursor_) return;
  acknowledged_ = cursor_;
  unacknowledged_ = 0;
  AttachRequest request;
  request.mutable_ack()->set_number(cursor_);
  stream_->Request(request);
}

bool RawClient::MayPost(uint64_t number) const {
  if (number <= peer_cursor_) return true;
  if (number - peer_cursor_ > limits_.window_frames()) return false;
  size_t bytes = 0;
  for (uint64_t n = peer_cursor_ + 1; n <= number; ++n) bytes += frames_[n - 1].size();
  return bytes <= limits_.window_bytes();
}

bool RawClient::Cheats() { return plan_.cheats && !std::exchange(cheated_, true); }

void RawClient::Advance() {
  if (!opened_ || closed_) return;
  if (2 * (cursor_ - acknowledged_) >= limits_.window_frames() ||
      2 * unacknowledged_ >= limits_.window_bytes() || cursor_ == plan_.peer_frames) {
    Acknowledge();
  }
  while (!pausing_ && sent_ < plan_.frames && (MayPost(sent_ + 1) || Cheats())) {
    AttachRequest request;
    request.mutable_post()->set_number(++sent_);
    request.mutable_post()->set_frame(frames_[sent_ - 1]);
    stream_->Request(request);
    if (plan_.mean_pause == absl::ZeroDuration()) continue;
    pausing_ = true;
    stage_->loop->After(random_.Exponential(plan_.mean_pause), [this] {
      pausing_ = false;
      if (stream_ != nullptr) Advance();
    });
  }
  if (!complete()) return;
  if (!std::exchange(closing_, true)) closing_since_ = stage_->loop->now();
  closed_ = true;
  AttachRequest request;
  request.mutable_close()->set_mood(rendezvous::v1::MOOD_HAPPY);
  stream_->Request(request);
}

}  // namespace wormhole::simulation
