#include "tests/simulation/straggler.h"

namespace wormhole::simulation {

void Straggler::Arrive(absl::Duration stays) {
  stream_ = transport_->Open(party_, opening_, this);
  stage_->loop->After(stays, [this] {
    if (stream_ != nullptr) stream_->Drop();
    stream_.reset();
  });
}

void Straggler::OnResponse(const rendezvous::v1::AttachResponse& response) {
  const rendezvous::v1::Opened& opened = response.opened();
  if (opened.state() != rendezvous::v1::Opened::STATE_ATTACHED) return;
  // Its expiry tells a channel from the others under its id.
  joined_ |= opened.channel_id() != own_.channel_id() ||
             opened.expires_at().seconds() != own_.expires_at().seconds() ||
             opened.expires_at().nanos() != own_.expires_at().nanos();
}

void Straggler::OnEnded(const absl::Status&) { stream_.reset(); }

}  // namespace wormhole::simulation
