#include "tests/simulation/intruder.h"

#include <utility>

namespace wormhole::simulation {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

Intruder::Intruder(const Stage* stage, Transport* transport, SimRandom random, int party,
                   IntruderPlan plan, std::string app_id)
    : stage_(stage),
      transport_(transport),
      random_(random),
      party_(party),
      plan_(plan),
      app_id_(std::move(app_id)) {}

void Intruder::Attack(uint32_t channel_id) {
  AttachRequest request;
  request.mutable_open()->set_app_id(app_id_);
  std::string token(32, '\0');
  random_.Fill(reinterpret_cast<uint8_t*>(token.data()), token.size());
  request.mutable_open()->set_token(token);
  switch (plan_.trick) {
    case IntruderPlan::Trick::kClaim:
    case IntruderPlan::Trick::kWait:
      request.mutable_open()->mutable_claim()->set_channel_id(channel_id);
      request.mutable_open()->mutable_claim()->set_wait(plan_.trick == IntruderPlan::Trick::kWait);
      break;
    case IntruderPlan::Trick::kResume:
      request.mutable_open()->mutable_resume()->set_channel_id(channel_id);
      break;
    case IntruderPlan::Trick::kAllocate:
      request.mutable_open()->mutable_allocate()->set_channel_id(channel_id);
      request.mutable_open()->mutable_allocate()->mutable_ttl()->set_seconds(60);
      break;
  }
  stage_->loop->After(plan_.delay, [this, request] {
    stream_ = transport_->Open(party_, request, this);
    stage_->loop->After(random_.Between(absl::ZeroDuration(), absl::Seconds(30)), [this] {
      if (stream_ != nullptr) stream_->Drop();
      stream_.reset();
    });
  });
}

void Intruder::OnResponse(const AttachResponse& response) {
  if (!response.has_opened() || stream_ == nullptr) return;
  if (response.opened().state() == rendezvous::v1::Opened::STATE_ATTACHED) Babble();
}

void Intruder::Babble() {
  AttachRequest request;
  const uint32_t choice = random_.Below(4);
  if (choice == 0) return;
  if (choice == 1) {
    request.mutable_close()->set_mood(static_cast<rendezvous::v1::Mood>(1 + random_.Below(4)));
  } else if (choice == 2) {
    request.mutable_ack()->set_number(random_.Chance(0.5) ? 1 : ~uint64_t{0});
  } else {
    request.mutable_post()->set_number(1);
    request.mutable_post()->set_frame(std::string(random_.Below(100), 'x'));
  }
  stream_->Request(request);
}

void Intruder::OnEnded(const absl::Status&) { stream_.reset(); }

}  // namespace wormhole::simulation
