#include "tests/simulation/lurker.h"

#include <utility>

#include "absl/time/time.h"

namespace wormhole::simulation {

Lurker::Lurker(const Stage* stage, Transport* transport, SimRandom random, int party)
    : stage_(stage), transport_(transport), random_(random), party_(party) {}

void Lurker::Wait(const std::string& app_id, uint32_t channel_id) {
  std::string token(32, '\0');
  random_.Fill(reinterpret_cast<uint8_t*>(token.data()), token.size());
  rendezvous::v1::Open& open = *opening_.mutable_open();
  open.set_app_id(app_id);
  open.set_token(token);
  open.mutable_claim()->set_channel_id(channel_id);
  open.mutable_claim()->set_wait(true);
  Open();
}

void Lurker::Open() {
  if (left_) return;
  stream_ = transport_->Open(party_, opening_, this);
  Beat(++streams_);
}

void Lurker::Leave() {
  left_ = true;
  if (stream_ != nullptr) stream_->Drop();
  stream_.reset();
}

// Often enough for every relay.
void Lurker::Beat(uint64_t stream_count) {
  stage_->loop->After(absl::Seconds(2), [this, stream_count] {
    if (stream_ == nullptr || stream_count != streams_) return;
    rendezvous::v1::AttachRequest request;
    request.mutable_heartbeat();
    stream_->Request(request);
    Beat(stream_count);
  });
}

void Lurker::OnResponse(const rendezvous::v1::AttachResponse& response) {
  joined_ |=
      response.has_opened() && response.opened().state() == rendezvous::v1::Opened::STATE_ATTACHED;
}

void Lurker::OnEnded(const absl::Status&) {
  stream_.reset();
  stage_->loop->After(random_.Between(absl::ZeroDuration(), absl::Seconds(1)), [this] { Open(); });
}

}  // namespace wormhole::simulation
