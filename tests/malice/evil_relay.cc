#include "tests/malice/evil_relay.h"

#include <algorithm>
#include <utility>

#include "proto/error/error_detail.h"

namespace wormhole::malice {
namespace {

using pake::Role;
using simulation::StreamEvents;

constexpr absl::Duration kHop = absl::Milliseconds(1);

}  // namespace

class EvilRelay::Stream final : public simulation::ClientStream,
                                public std::enable_shared_from_this<Stream> {
 public:
  Stream(EvilRelay* relay, Role role, StreamEvents* events)
      : relay_(relay), role_(role), events_(events) {}

  void Request(const AttachRequest& request) override {
    relay_->loop_->After(kHop, [self = shared_from_this(), request] {
      if (self->events_ != nullptr) self->relay_->Take(self, request);
    });
  }
  void Drop(bool /*silent*/) override { events_ = nullptr; }

  void Deliver(AttachResponse response) {
    relay_->loop_->After(kHop, [self = shared_from_this(), response = std::move(response)] {
      if (self->events_ != nullptr) self->events_->OnResponse(response);
    });
  }
  void End(absl::Status status) {
    relay_->loop_->After(kHop, [self = shared_from_this(), status = std::move(status)] {
      StreamEvents* const events = std::exchange(self->events_, nullptr);
      if (events != nullptr) events->OnEnded(status);
    });
  }
  Role role() const { return role_; }

 private:
  EvilRelay* const relay_;
  const Role role_;
  StreamEvents* events_;  // null: given up, or ended
};

std::shared_ptr<simulation::ClientStream> EvilRelay::Open(int party, const AttachRequest& open,
                                                          StreamEvents* events) {
  const Role role = party == 0 ? Role::kInitiator : Role::kReceiver;
  auto stream = std::make_shared<Stream>(this, role, events);
  stream->Request(open);
  return stream;
}

void EvilRelay::Take(const std::shared_ptr<Stream>& stream, const AttachRequest& request) {
  if (evil_.on_request) {
    const std::optional<absl::Status> status = evil_.on_request(stream->role(), request);
    if (status.has_value()) return stream->End(*status);
  }
  switch (request.request_case()) {
    case AttachRequest::kOpen:
      return TakeOpen(stream, request.open());
    case AttachRequest::kPost:
      return TakePost(stream, request.post());
    case AttachRequest::kAck:
      At(stream->role()).cursor = std::max(At(stream->role()).cursor, request.ack().number());
      return TellStatus(pake::OtherRole(stream->role()));
    case AttachRequest::kClose:
      return TakeClose(stream, request.close().mood());
    case AttachRequest::kHeartbeat: {
      AttachResponse response;
      response.mutable_heartbeat();
      return Say(stream, std::move(response));
    }
    case AttachRequest::REQUEST_NOT_SET:
      break;
  }
}

void EvilRelay::TakeOpen(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Open& open) {
  if (ended_.has_value()) return stream->End(*ended_);
  Side& own = At(stream->role());
  const Side& peer = At(pake::OtherRole(stream->role()));
  own.joined = true;
  own.stream = stream;
  own.cursor = std::max(own.cursor, open.cursor());
  AttachResponse response;
  rendezvous::v1::Opened& opened = *response.mutable_opened();
  opened.set_state(rendezvous::v1::Opened::STATE_ATTACHED);
  opened.set_channel_id(kChannelId);
  opened.mutable_expires_at()->set_seconds(2'000'000'000);
  opened.set_stored(own.log.size());
  opened.set_peer_stored(peer.log.size());
  opened.set_peer_cursor(peer.cursor);
  opened.set_left(own.left);
  opened.set_peer(PresenceOf(pake::OtherRole(stream->role())));
  opened.mutable_limits()->set_max_frame_bytes(66'000);
  opened.mutable_limits()->set_window_frames(4);
  opened.mutable_limits()->set_window_bytes(262'144);
  opened.mutable_heartbeat_interval()->set_seconds(20);
  Say(stream, std::move(response));
  for (uint64_t number = own.cursor + 1; number <= peer.log.size(); ++number) {
    SendFrame(stream->role(), number);
  }
  TellStatus(pake::OtherRole(stream->role()));
}

void EvilRelay::TakePost(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Post& post) {
  Side& own = At(stream->role());
  if (post.number() == own.log.size() + 1) {
    own.log.push_back(post.frame());
    SendFrame(pake::OtherRole(stream->role()), post.number());
  }
  AttachResponse response;
  response.mutable_posted()->set_number(own.log.size());
  Say(stream, std::move(response));
}

void EvilRelay::TakeClose(const std::shared_ptr<Stream>& stream, rendezvous::v1::Mood mood) {
  Side& own = At(stream->role());
  Side& peer = At(pake::OtherRole(stream->role()));
  own.left = true;
  own.stream = nullptr;
  stream->End(absl::OkStatus());
  if (mood == rendezvous::v1::MOOD_HAPPY && peer.joined && !peer.left) {
    return TellStatus(pake::OtherRole(stream->role()));
  }
  ended_ = error::Make(error::ErrorDetail::REASON_CLOSED, "closed", {.mood = mood});
  if (peer.stream != nullptr) peer.stream->End(*ended_);
}

rendezvous::v1::Presence EvilRelay::PresenceOf(Role role) const {
  const Side& side = At(role);
  if (!side.joined) return rendezvous::v1::PRESENCE_ABSENT;
  if (side.left) return rendezvous::v1::PRESENCE_LEFT;
  return rendezvous::v1::PRESENCE_ATTACHED;
}

void EvilRelay::TellStatus(Role role) {
  AttachResponse response;
  response.mutable_peer_status()->set_presence(PresenceOf(pake::OtherRole(role)));
  response.mutable_peer_status()->set_peer_cursor(At(pake::OtherRole(role)).cursor);
  Send(role, std::move(response));
}

void EvilRelay::SendFrame(Role reader, uint64_t number) {
  std::string frame = At(pake::OtherRole(reader)).log[number - 1];
  if (evil_.on_frame) evil_.on_frame(reader, number, frame);
  AttachResponse response;
  response.mutable_message()->set_number(number);
  response.mutable_message()->set_frame(std::move(frame));
  Send(reader, std::move(response));
}

void EvilRelay::Send(Role reader, AttachResponse response) {
  if (At(reader).stream != nullptr) Say(At(reader).stream, std::move(response));
}

void EvilRelay::Say(const std::shared_ptr<Stream>& stream, AttachResponse response) {
  std::vector<AttachResponse> responses = {std::move(response)};
  if (evil_.on_response) evil_.on_response(stream->role(), responses);
  for (AttachResponse& one : responses) stream->Deliver(std::move(one));
}

}  // namespace wormhole::malice
