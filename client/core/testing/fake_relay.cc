#include "client/core/testing/fake_relay.h"

#include <algorithm>
#include <utility>

#include "proto/error/error_detail.h"

namespace wormhole::core {
namespace {

using error::ErrorDetail;
using rendezvous::v1::Mood;

absl::Status Refusal(ErrorDetail::Reason reason, Mood mood = rendezvous::v1::MOOD_UNSPECIFIED) {
  return error::Make(reason, ErrorDetail::Reason_Name(reason), {.mood = mood});
}

absl::Status Ended(const FakeRelay::Channel& channel) {
  return Refusal(ErrorDetail::REASON_CLOSED, channel.mood);
}

}  // namespace

void FakeRelay::End(Stream& stream, absl::Status status) {
  if (stream.ended) return;
  stream.ended = true;
  stream.end(std::move(status));
}

void FakeRelay::Receive(const std::shared_ptr<Stream>& stream, const Request& request) {
  if (stream->ended) return;
  if (request.has_open()) {
    rendezvous::v1::Open open = request.open();
    if (on_open) on_open(open);
    return Open(stream, open);
  }
  if (request.has_heartbeat()) {
    Response response;
    response.mutable_heartbeat();
    return stream->send(std::move(response));
  }
  if (stream->role < 0) return End(*stream, Refusal(ErrorDetail::REASON_MALFORMED));
  if (request.has_post()) return Post(*stream, request.post());
  if (request.has_ack()) return Accept(stream->channel, stream->role, request.ack().number());
  if (request.has_close()) return Close(*stream, request.close().mood());
}

void FakeRelay::Detach(const std::shared_ptr<Stream>& stream) {
  stream->ended = true;
  if (stream->role < 0) return;
  Channel& channel = channels[stream->channel];
  if (channel.streams[stream->role].lock() != stream) return;
  channel.streams[stream->role].reset();
  TellPeerOf(stream->channel, stream->role);
}

void FakeRelay::Open(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Open& open) {
  stream->token = open.token();
  if (open.has_allocate()) {
    if (const uint32_t id = Allocate(stream, open)) Join(stream, id, 0, open.cursor());
  } else if (open.has_claim()) {
    if (const uint32_t id = Claim(stream, open)) Join(stream, id, 1, open.cursor());
  } else if (const uint32_t id = Resume(stream, open)) {
    Join(stream, id, channels[id].tokens[0] == open.token() ? 0 : 1, open.cursor());
  }
}

uint32_t FakeRelay::Allocate(const std::shared_ptr<Stream>& stream,
                             const rendezvous::v1::Open& open) {
  for (auto& [id, channel] : channels) {
    if (channel.tokens[0] != open.token()) continue;
    if (!channel.ended) return id;
    End(*stream, Ended(channel));
    return 0;
  }
  uint32_t id = open.allocate().channel_id();
  if (id != 0 && channels.count(id) > 0) {
    End(*stream, Refusal(ErrorDetail::REASON_TAKEN));
    return 0;
  }
  if (id == 0) id = next_id++;
  channels[id].tokens[0] = open.token();
  std::vector<std::weak_ptr<Stream>> waiting;
  waiting.swap(waiters);
  for (const std::weak_ptr<Stream>& weak : waiting) {
    const std::shared_ptr<Stream> waiter = weak.lock();
    if (!waiter || waiter->ended) continue;
    if (waiter->channel != id || open.allocate().channel_id() == 0) {
      waiters.push_back(waiter);
    } else if (!channels[id].tokens[1].empty()) {
      End(*waiter, Refusal(ErrorDetail::REASON_CROWDED));
    } else {
      channels[id].tokens[1] = waiter->token;
      Join(waiter, id, 1, 0);
    }
  }
  return id;
}

uint32_t FakeRelay::Claim(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Open& open) {
  const uint32_t id = open.claim().channel_id();
  const auto found = channels.find(id);
  if (found == channels.end() && open.claim().wait()) {
    Response response;
    response.mutable_opened()->set_state(rendezvous::v1::Opened::STATE_WAITING);
    response.mutable_opened()->set_channel_id(id);
    stream->channel = id;
    waiters.push_back(stream);
    stream->send(std::move(response));
    return 0;
  }
  if (found == channels.end()) {
    End(*stream, Refusal(ErrorDetail::REASON_NEVER_ALLOCATED));
    return 0;
  }
  Channel& channel = found->second;
  if (channel.ended) {
    End(*stream, Ended(channel));
    return 0;
  }
  if (!channel.tokens[1].empty() && channel.tokens[1] != open.token()) {
    for (int member : {0, 1}) {
      if (const auto stream_of_member = channel.streams[member].lock()) {
        ++stream_of_member->third_parties;
      }
      TellPeerOf(id, 1 - member);
    }
    End(*stream, Refusal(ErrorDetail::REASON_CROWDED));
    return 0;
  }
  channel.tokens[1] = open.token();
  return id;
}

uint32_t FakeRelay::Resume(const std::shared_ptr<Stream>& stream,
                           const rendezvous::v1::Open& open) {
  const uint32_t id = open.resume().channel_id();
  const auto found = channels.find(id);
  if (found == channels.end()) {
    End(*stream, Refusal(ErrorDetail::REASON_NEVER_ALLOCATED));
  } else if (found->second.ended) {
    End(*stream, Ended(found->second));
  } else if (found->second.tokens[0] != open.token() && found->second.tokens[1] != open.token()) {
    End(*stream, Refusal(ErrorDetail::REASON_NOT_MEMBER));
  } else {
    return id;
  }
  return 0;
}

void FakeRelay::Join(const std::shared_ptr<Stream>& stream, uint32_t id, int role,
                     uint64_t cursor) {
  Channel& channel = channels[id];
  if (const std::shared_ptr<Stream> older = channel.streams[role].lock()) {
    End(*older, Refusal(ErrorDetail::REASON_SUPERSEDED));
  }
  channel.streams[role] = stream;
  stream->channel = id;
  stream->role = role;
  const int peer = 1 - role;
  Response response;
  rendezvous::v1::Opened& opened = *response.mutable_opened();
  opened.set_state(rendezvous::v1::Opened::STATE_ATTACHED);
  opened.set_channel_id(id);
  opened.set_stored(channel.logs[role].size());
  opened.set_peer_stored(channel.logs[peer].size());
  opened.set_peer_forgotten(channel.forgotten[peer]);
  opened.set_peer_cursor(channel.accepted[role]);
  opened.set_left(channel.left[role]);
  opened.set_peer(PresenceOf(channel, peer));
  opened.mutable_limits()->set_max_frame_bytes(66'000);
  opened.mutable_limits()->set_window_frames(16);
  opened.mutable_limits()->set_window_bytes(1 << 20);
  opened.mutable_heartbeat_interval()->set_seconds(20);
  if (on_opened) on_opened(opened);
  stream->send(std::move(response));
  Accept(id, role, cursor);
  for (uint64_t n = std::max(cursor, channel.forgotten[peer]) + 1; n <= channel.logs[peer].size();
       ++n) {
    Deliver(id, peer, n);
  }
  TellPeerOf(id, role);
}

void FakeRelay::Post(Stream& stream, const rendezvous::v1::Post& post) {
  Channel& channel = channels[stream.channel];
  std::vector<std::string>& log = channel.logs[stream.role];
  const uint64_t n = post.number();
  const uint64_t accepted = channel.accepted[stream.role];
  if (n == 0 || n > log.size() + 1) return End(stream, Refusal(ErrorDetail::REASON_MALFORMED));
  if (n > accepted && channel.left[1 - stream.role]) {
    return End(stream, Refusal(ErrorDetail::REASON_PEER_LEFT));
  }
  if (n > channel.forgotten[stream.role] && n <= log.size() && log[n - 1] != post.frame()) {
    return End(stream, Refusal(ErrorDetail::REASON_CONFLICT));
  }
  if (n == log.size() + 1) {
    log.push_back(post.frame());
    Deliver(stream.channel, stream.role, n);
  }
  if (hold_posted) return;
  Response response;
  response.mutable_posted()->set_number(n);
  stream.send(std::move(response));
}

void FakeRelay::Accept(uint32_t id, int reader, uint64_t cursor) {
  Channel& channel = channels[id];
  const int author = 1 - reader;
  if (cursor <= channel.accepted[author]) return;
  channel.accepted[author] = cursor;
  if (forget) {
    channel.forgotten[author] = std::min<uint64_t>(cursor, channel.logs[author].size());
    for (uint64_t n = 0; n < channel.forgotten[author]; ++n) channel.logs[author][n].clear();
  }
  TellPeerOf(id, reader);
}

void FakeRelay::Close(Stream& stream, Mood mood) {
  closes.push_back(mood);
  Channel& channel = channels[stream.channel];
  channel.left[stream.role] = true;
  const bool alone = channel.tokens[1 - stream.role].empty();
  const bool last = alone || channel.left[1 - stream.role];
  channel.streams[stream.role].reset();
  if (mood != rendezvous::v1::MOOD_HAPPY || last) {
    EndChannel(stream.channel, mood);
  } else {
    TellPeerOf(stream.channel, stream.role);
  }
  End(stream, absl::OkStatus());
}

void FakeRelay::EndChannel(uint32_t id, Mood mood) {
  Channel& channel = channels[id];
  channel.ended = true;
  channel.mood = mood;
  for (auto& weak : channel.streams) {
    if (const std::shared_ptr<Stream> stream = weak.lock()) End(*stream, Ended(channel));
  }
}

void FakeRelay::Deliver(uint32_t id, int author, uint64_t number) {
  const std::shared_ptr<Stream> reader = channels[id].streams[1 - author].lock();
  if (!reader || reader->ended) return;
  std::string frame = channels[id].logs[author][number - 1];
  if (on_deliver) on_deliver(author, number, frame);
  Response response;
  response.mutable_message()->set_number(number);
  response.mutable_message()->set_frame(std::move(frame));
  reader->send(std::move(response));
}

void FakeRelay::TellPeerOf(uint32_t id, int role) {
  Channel& channel = channels[id];
  const std::shared_ptr<Stream> peer = channel.streams[1 - role].lock();
  if (!peer || peer->ended || hold_posted) return;
  Response response;
  response.mutable_peer_status()->set_presence(PresenceOf(channel, role));
  response.mutable_peer_status()->set_peer_cursor(channel.accepted[1 - role]);
  response.mutable_peer_status()->set_third_parties(peer->third_parties);
  peer->send(std::move(response));
}

rendezvous::v1::Presence FakeRelay::PresenceOf(const Channel& channel, int role) const {
  if (channel.left[role]) return rendezvous::v1::PRESENCE_LEFT;
  if (!channel.streams[role].expired()) return rendezvous::v1::PRESENCE_ATTACHED;
  return channel.tokens[role].empty() ? rendezvous::v1::PRESENCE_ABSENT
                                      : rendezvous::v1::PRESENCE_DETACHED;
}

}  // namespace wormhole::core
