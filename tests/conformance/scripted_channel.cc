#include "tests/conformance/scripted_channel.h"

#include <algorithm>
#include <utility>

#include "tests/conformance/refusal.h"

namespace wormhole::conformance {

namespace v1 = rendezvous::v1;

ScriptedChannel::ScriptedChannel(Role client, std::string app_id, std::string peer_data,
                                 Script script)
    : script_(std::move(script)), peer_(Other(client), app_id, std::move(peer_data), script_.peer) {
  transcript_.client = client;
  transcript_.app_id = std::move(app_id);
  transcript_.channel_id = kId;
}

void ScriptedChannel::Note(size_t stream, Entry::Kind kind) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  transcript_.entries.push_back({.seconds = passed.count(), .stream = stream, .kind = kind});
}

// --- What happens.

size_t ScriptedChannel::Began() {
  const size_t stream = transcript_.streams();
  Note(stream, Entry::Kind::kBegan);
  return stream;
}

void ScriptedChannel::Took(size_t stream, const AttachRequest& request) {
  Note(stream, Entry::Kind::kRequest);
  transcript_.entries.back().request = request;
  if (script_.on_request && script_.on_request(*this, stream, request)) return;
  Honestly(stream, request);
}

void ScriptedChannel::Gone(size_t stream) {
  Note(stream, Entry::Kind::kClientEnded);
  if (attached_ == stream) attached_.reset();
}

void ScriptedChannel::Learn(const std::string& words) {
  transcript_.words = words;
  peer_.Learn(kId, words);
  if (attached_) Tell(*attached_, PeerStatus());
  MovePeer();
}

std::vector<ScriptedChannel::Output> ScriptedChannel::TakeOutputs() {
  return std::exchange(outputs_, {});
}

Transcript ScriptedChannel::Result() const {
  Transcript result = transcript_;
  result.genuine = peer_log_;
  return result;
}

// --- What is said.

void ScriptedChannel::Say(size_t stream, AttachResponse response) {
  Note(stream, Entry::Kind::kResponse);
  transcript_.entries.back().response = response;
  outputs_.push_back({.stream = stream, .response = std::move(response)});
}

void ScriptedChannel::End(size_t stream, grpc::Status status) {
  Note(stream, Entry::Kind::kRelayEnded);
  if (attached_ == stream) attached_.reset();
  outputs_.push_back({.stream = stream, .end = std::move(status)});
}

void ScriptedChannel::Tell(size_t stream, AttachResponse response) {
  std::vector<AttachResponse> responses = {std::move(response)};
  if (script_.on_response) script_.on_response(stream, responses);
  for (AttachResponse& one : responses) Say(stream, std::move(one));
}

void ScriptedChannel::TellMessages(size_t stream, uint64_t from) {
  for (uint64_t number = from; number <= peer_log_.size(); ++number) {
    Tell(stream, Message(number));
  }
}

v1::Presence ScriptedChannel::PeerPresence() const {
  if (script_.peer_is_absent || !peer_.knows_code()) return v1::PRESENCE_ABSENT;
  return peer_.finished() ? v1::PRESENCE_LEFT : v1::PRESENCE_ATTACHED;
}

AttachResponse ScriptedChannel::Opened() const {
  AttachResponse response;
  v1::Opened& opened = *response.mutable_opened();
  opened.set_state(v1::Opened::STATE_ATTACHED);
  opened.set_channel_id(kId);
  opened.mutable_expires_at()->set_seconds(4'000'000'000);
  opened.set_stored(client_log_.size());
  opened.set_peer_stored(peer_log_.size());
  opened.set_peer_cursor(heard_);
  opened.set_left(left_);
  opened.set_peer(PeerPresence());
  opened.mutable_limits()->set_max_frame_bytes(66'000);
  opened.mutable_limits()->set_window_frames(4);
  opened.mutable_limits()->set_window_bytes(262'144);
  opened.mutable_heartbeat_interval()->set_seconds(20);
  return response;
}

AttachResponse ScriptedChannel::Message(uint64_t number) const {
  AttachResponse response;
  response.mutable_message()->set_number(number);
  std::string frame = number >= 1 && number <= peer_log_.size() ? peer_log_[number - 1] : "";
  if (script_.on_frame) script_.on_frame(number, frame);
  response.mutable_message()->set_frame(std::move(frame));
  return response;
}

AttachResponse ScriptedChannel::PeerStatus() const {
  AttachResponse response;
  response.mutable_peer_status()->set_presence(PeerPresence());
  response.mutable_peer_status()->set_peer_cursor(heard_);
  return response;
}

// --- The honest relay.

void ScriptedChannel::Honestly(size_t stream, const AttachRequest& request) {
  switch (request.request_case()) {
    case AttachRequest::kOpen:
      return TakeOpen(stream, request.open());
    case AttachRequest::kPost:
      return TakePost(stream, request.post());
    case AttachRequest::kAck:
      cursor_ = std::max(cursor_, request.ack().number());
      return;
    case AttachRequest::kHeartbeat: {
      AttachResponse response;
      response.mutable_heartbeat();
      return Tell(stream, std::move(response));
    }
    case AttachRequest::kClose:
      left_ = true;
      return End(stream, grpc::Status::OK);
    case AttachRequest::REQUEST_NOT_SET:
      return;
  }
}

void ScriptedChannel::TakeOpen(size_t stream, const v1::Open& open) {
  cursor_ = std::max(cursor_, open.cursor());
  MovePeer();
  if (over_) return End(stream, *over_);
  Tell(stream, Opened());
  TellMessages(stream, open.cursor() + 1);
  attached_ = stream;
}

void ScriptedChannel::TakePost(size_t stream, const v1::Post& post) {
  if (post.number() == client_log_.size() + 1) client_log_.push_back(post.frame());
  AttachResponse response;
  response.mutable_posted()->set_number(client_log_.size());
  Tell(stream, std::move(response));
  MovePeer();
}

void ScriptedChannel::MovePeer() {
  if (script_.peer_is_absent || !peer_.knows_code()) return;
  const uint64_t had = heard_, said = peer_log_.size();
  while (!over_) {
    for (std::string& frame : peer_.Due()) peer_log_.push_back(std::move(frame));
    if (heard_ >= client_log_.size()) break;
    const std::string wrong = peer_.Take(client_log_[heard_++]);
    if (wrong.empty()) continue;
    transcript_.wrong_frame = wrong;
    over_ = Closed(v1::MOOD_SCARY);
  }
  if (!attached_) return;
  if (over_) return End(*attached_, *over_);
  TellMessages(*attached_, said + 1);
  if (attached_ && heard_ > had) Tell(*attached_, PeerStatus());
}

}  // namespace wormhole::conformance
