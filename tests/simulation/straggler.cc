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
  joined_ |=
      response.has_opened() && response.opened().state() == rendezvous::v1::Opened::STATE_ATTACHED;
}

void Straggler::OnEnded(const absl::Status&) { stream_.reset(); }

}  // namespace wormhole::simulation
