#include "relay/switchboard/stream_attachment.h"

#include <utility>

#include "relay/switchboard/open_request.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/responses.h"

namespace wormhole::relay {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

StreamAttachment::StreamAttachment(std::shared_ptr<StreamContext> context,
                                   std::shared_ptr<Sink> sink, const StreamOrigin& origin)
    : context_(std::move(context)),
      origin_(origin),
      came_at_(context_->steady_now()),
      old_at_(came_at_ + context_->StreamAge()),
      last_heard_(absl::ToInt64Nanoseconds(came_at_)),
      sink_(std::move(sink)) {}

StreamAttachment::~StreamAttachment() { context_->OnOver(this); }

void StreamAttachment::Receive(AttachRequest request) {
  NoteHeard();
  reads_ = false;
  if (!opened_.exchange(true)) {
    if (request.has_open())
      return context_->Open(shared_from_this(), std::move(*request.mutable_open()));
    return Dismiss(std::nullopt, Malformed("open", "the first request of a stream is Open"));
  }
  if (request.has_heartbeat()) return Heartbeat();
  // A stream without a channel has ended, and what it still says does not matter.
  if (const std::shared_ptr<BoundChannel> bound = channel()) Dispatch(*bound, std::move(request));
}

void StreamAttachment::NoteHeard() {
  last_heard_.store(absl::ToInt64Nanoseconds(context_->steady_now()), std::memory_order_relaxed);
}

void StreamAttachment::Dispatch(BoundChannel& channel, AttachRequest request) {
  const std::shared_ptr<StreamAttachment> self = shared_from_this();
  switch (request.request_case()) {
    case AttachRequest::kPost: {
      rendezvous::v1::Post& post = *request.mutable_post();
      return channel.Post(self, post.number(), std::move(*post.mutable_frame()));
    }
    case AttachRequest::kAck:
      if (request.ack().number() > kMaxNumber) {
        return Dismiss(std::nullopt, Malformed("ack.number", "the number is too large"));
      }
      return channel.Ack(self, request.ack().number());
    case AttachRequest::kClose:
      return channel.Close(self, request.close().mood());
    case AttachRequest::kOpen:
      return Dismiss(std::nullopt, Malformed("open", "a stream is opened once"));
    case AttachRequest::kHeartbeat:
    case AttachRequest::REQUEST_NOT_SET:
      break;
  }
  Dismiss(std::nullopt, Malformed("request", "the request is none that this relay knows"));
}

bool StreamAttachment::IsSilentSince(absl::Duration time) {
  if (!reads_) {
    held_ = true;
    return false;
  }
  return absl::Nanoseconds(last_heard_.load(std::memory_order_relaxed)) < time;
}

// A client that sends heartbeats and reads nothing is not read further. One that is slow and keeps
// the limits may have a window of frames on its way, and what each takes beside its bytes.
void StreamAttachment::Heartbeat() {
  {
    sync::MutexLock lock(mutex_);
    if (!sink_) return;
    pending_heartbeat_ = true;
    reads_ = true;  // but for the client, which has to read
    AnswerHeartbeat();
  }
  Flush();
}

void StreamAttachment::AnswerHeartbeat() {
  const size_t limit = 2 * size_t{context_->options().limits.window_bytes};
  if (!sink_ || ended_ || !pending_heartbeat_ || !RoomLocked(limit)) return;
  pending_heartbeat_ = false;
  sink_->Send(HeartbeatResponse());
  sink_->ReadMore();
}

bool StreamAttachment::HasRoom() {
  sync::MutexLock lock(mutex_);
  return sink_ && RoomLocked(context_->options().limits.window_bytes);
}

bool StreamAttachment::IsStuck() {
  sync::MutexLock lock(mutex_);
  return sink_ && sink_->IsStuck();
}

// Asks for the backlog twice: it may fall between the first question and the note that the stream
// waits for room, and nobody would then tell.
bool StreamAttachment::RoomLocked(size_t limit) {
  if (sink_->Backlog() < limit) return true;
  wants_room_.store(true);
  return sink_->Backlog() < limit;
}

void StreamAttachment::Drained() {
  if (!wants_room_.exchange(false)) return;
  std::shared_ptr<BoundChannel> bound;
  {
    sync::MutexLock lock(mutex_);
    AnswerHeartbeat();
    bound = channel_;
  }
  if (bound) bound->Drained(shared_from_this());
  Flush();
}

void StreamAttachment::Detach() {
  std::shared_ptr<BoundChannel> bound;
  std::shared_ptr<Sink> sink;
  {
    sync::MutexLock lock(mutex_);
    sink.swap(sink_);
    bound.swap(channel_);
  }
  if (!sink) return;
  context_->OnOver(this);
  if (bound) bound->Detach(shared_from_this());
}

void StreamAttachment::Dismiss(std::optional<AttachResponse> last, absl::Status status) {
  std::shared_ptr<BoundChannel> bound;
  {
    sync::MutexLock lock(mutex_);
    if (!sink_ || ended_) return;
    if (last && told_) sink_->Send(*std::move(last));
    sink_->End(std::move(status));
    ended_ = true;
    bound.swap(channel_);
  }
  if (bound) bound->Detach(shared_from_this());
  Flush();
}

bool StreamAttachment::Bind(std::shared_ptr<BoundChannel> channel) {
  sync::MutexLock lock(mutex_);
  if (!sink_ || ended_) return false;
  channel_ = std::move(channel);
  return true;
}

bool StreamAttachment::over() const {
  sync::MutexLock lock(mutex_);
  return !sink_ || ended_;
}

void StreamAttachment::Send(AttachResponse response) {
  sync::MutexLock lock(mutex_);
  if (!sink_ || ended_) return;
  told_ = true;
  sink_->Send(std::move(response));
}

void StreamAttachment::End(absl::Status status) {
  sync::MutexLock lock(mutex_);
  if (sink_ && !ended_) sink_->End(std::move(status));
  ended_ = true;
}

void StreamAttachment::ReadMore() {
  sync::MutexLock lock(mutex_);
  // In this order, or whoever looks for silence in between would find it.
  if (held_.exchange(false)) NoteHeard();
  reads_ = true;
  if (sink_ && !ended_) sink_->ReadMore();
}

void StreamAttachment::Flush() {
  std::shared_ptr<Sink> sink;
  {
    sync::MutexLock lock(mutex_);
    sink = sink_;
  }
  if (sink) sink->Flush();
}

std::shared_ptr<BoundChannel> StreamAttachment::channel() const {
  sync::MutexLock lock(mutex_);
  return channel_;
}

}  // namespace wormhole::relay
