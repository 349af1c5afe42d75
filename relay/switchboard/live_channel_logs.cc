// Posts, acknowledgements and delivery.
#include <algorithm>
#include <utility>

#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/responses.h"

namespace wormhole::relay {

// The shortcut: a reader that has everything before this frame gets it before it is committed.
void LiveChannel::ForwardNow(Role author, uint64_t number, const std::string& frame,
                             LockedEffects& effects) {
  const Role reader = Other(author);
  Seat& to = seat(reader);
  if (!to.stream || to.reading || to.behind_trim || to.sent + 1 != number) return;
  if (record().member(reader).left || !to.stream->HasRoom()) return;
  effects.Send(to.stream, MessageResponse(number, frame));
  to.sent = number;
}

absl::Status LiveChannel::Judge(Role author, size_t queued_before, uint64_t number, size_t bytes) {
  const LogState& log = snapshot().log(author);
  const PostQueue& posts = work(author).posts;
  const PostRequest request{
      .number = number,
      .bytes = bytes,
      .pending_last = posts.last(queued_before),
      .pending_bytes = posts.bytes(queued_before, std::max(log.accepted, log.stored)),
  };
  return JudgePost(snapshot(), author, request, registry_->wall_now(), registry_->options().limits);
}

void LiveChannel::AppendHeld(Role author, LockedEffects& effects) {
  if (!Settled() || tenure_->posts_need_load > loads_done_) return;
  PostQueue& queue = work(author).posts;
  const uint64_t version = record().version;
  if (queue.any_in_flight_of_other_than(version)) return;
  for (size_t i = 0; i < queue.size(); ++i) {
    QueuedPost& post = queue.posts()[i];
    if (post.in_flight) continue;
    if (tenure_->revalidate.contains(author)) {
      absl::Status verdict = Judge(author, i, post.number, post.frame.size());
      if (!verdict.ok()) {
        Fail(author, Stream(post.stream), std::move(verdict), effects);
        return AppendHeld(author, effects);
      }
    }
    post.in_flight = true;
    post.version = version;
    CallStore(effects).Append(ThisChannel(), version, author, post.number, post.frame,
                              [self = shared_from_this(), tenure = tenure_, author,
                               serial = post.serial](const absl::StatusOr<AppendResult>& result) {
                                self->OnAppended(tenure, author, serial, result);
                              });
  }
  tenure_->revalidate.Remove(author);
}

void LiveChannel::OnAppended(const std::shared_ptr<Tenure>& tenure, Role author, uint64_t serial,
                             const absl::StatusOr<AppendResult>& result) {
  LockedEffects effects(mutex_);
  if (retired_ || tenure != tenure_) return;
  if (!result.ok()) return FailStore(effects);
  PostQueue& queue = work(author).posts;
  switch (result->outcome) {
    case AppendOutcome::kDone:
      UpdateLog(author, result->log);
      if (const auto post = queue.Take(serial)) AnswerPost(author, *post);
      break;
    case AppendOutcome::kConflict:
      if (const auto post = queue.Take(serial)) {
        Fail(author, post->stream, Conflict(post->number), effects);
      }
      break;
    case AppendOutcome::kGap:
      // It was judged to be the next one. If no post before it has failed, the store has lost what
      // it had: it was restored from an older copy.
      if (const auto post = queue.Take(serial); post && seat(author).stream == post->stream) {
        return FailStore(effects);
      }
      break;
    case AppendOutcome::kStale:
      // It goes again on the condition of the record that is known now, or of one that is loaded.
      if (queue.Return(serial) == record().version && !AdoptCached(effects)) {
        tenure_->posts_need_load = RequireReload();
      }
      break;
  }
  Advance(effects);
}

void LiveChannel::AnswerPost(Role author, const QueuedPost& post) {
  Seat& from = seat(author);
  if (from.stream != post.stream) return;  // a later stream learns it from its own posts
  from.pending_posted = std::max(from.pending_posted, post.number);
  if (post.repeat) from.pending_read = true;
}

bool LiveChannel::TakesPosts(Role author) const {
  const ChannelLimits& limits = registry_->options().limits;
  const PostQueue& queue = tenure_->works[author].posts;
  return queue.size() <= limits.window_frames && queue.held_bytes() <= limits.window_bytes;
}

void LiveChannel::RaiseCursor(Role reader, uint64_t cursor, LockedEffects& effects) {
  // What a side that has left still says changes nothing: else its peer would take for accepted
  // what nobody will ever read.
  if (record().member(reader).left) return;
  // What the reader has, it need not be sent.
  seat(reader).sent = std::max(seat(reader).sent, cursor);
  work(reader).cursor = std::max(work(reader).cursor, cursor);
  AcceptIfBehind(reader, effects);
}

// One acknowledgement at a time; the latest follows.
void LiveChannel::AcceptIfBehind(Role reader, LockedEffects& effects) {
  Work& asked = work(reader);
  const Role author = Other(reader);
  if (asked.accepting || asked.cursor <= snapshot().log(author).accepted) return;
  asked.accepting = true;
  CallStore(effects).Accept(
      ThisChannel(), author, asked.cursor,
      [self = shared_from_this(), tenure = tenure_, reader](const absl::StatusOr<LogState>& log) {
        self->OnAccepted(tenure, reader, log);
      });
}

void LiveChannel::OnAccepted(const std::shared_ptr<Tenure>& tenure, Role reader,
                             const absl::StatusOr<LogState>& log) {
  LockedEffects effects(mutex_);
  if (retired_ || tenure != tenure_) return;
  work(reader).accepting = false;
  if (log.ok()) {
    UpdateLog(Other(reader), *log);
    AcceptIfBehind(reader, effects);
  } else if (absl::IsNotFound(log.status())) {
    // The channel is gone: the load that follows says how.
    RequireReload();
  } else {
    return FailStore(effects);
  }
  Advance(effects);
}

// Answers about one log may come in any order, but each log only grows: the later state is the one
// that is behind in nothing. Any of them may be the first to show that the reader, at another relay
// perhaps, has accepted more, which the author waits for.
void LiveChannel::UpdateLog(Role author, const LogState& log) {
  LogState& known = snapshot().log(author);
  if (log.stored < known.stored || log.forgotten < known.forgotten ||
      log.accepted < known.accepted) {
    return;
  }
  if (log.accepted > known.accepted) seat(author).pending_status = true;
  known = log;
}

// Sends what the stream is owed, as far as it has room.
void LiveChannel::Deliver(Role role, LockedEffects& effects) {
  Seat& to = seat(role);
  if (!to.stream) return;
  if (to.pending_read && TakesPosts(role)) {
    to.pending_read = false;
    effects.ReadMore(to.stream);
  }
  if (to.pending_posted != 0 || to.pending_status) {
    if (!to.stream->HasRoom()) return;
    if (to.pending_posted != 0) effects.Send(to.stream, PostedResponse(to.pending_posted));
    if (to.pending_status) {
      effects.Send(to.stream, PeerStatusResponse(PresenceOf(Other(role)),
                                                 snapshot().log(role).accepted, to.third_parties));
    }
    to.pending_posted = 0;
    to.pending_status = false;
  }
  ReadFromStore(role, effects);
}

void LiveChannel::ReadFromStore(Role reader, LockedEffects& effects) {
  Seat& to = seat(reader);
  const Role author = Other(reader);
  if (to.reading || to.behind_trim || record().member(reader).left) return;
  if (to.sent >= snapshot().log(author).stored || !to.stream->HasRoom()) return;
  to.reading = true;
  CallStore(effects).Read(ThisChannel(), author, to.sent, registry_->options().limits.window_bytes,
                          [self = shared_from_this(), tenure = tenure_, reader,
                           stream = to.stream](absl::StatusOr<std::vector<StoredFrame>> frames) {
                            self->OnRead(tenure, reader, stream, std::move(frames));
                          });
}

void LiveChannel::OnRead(const std::shared_ptr<Tenure>& tenure, Role reader, const Stream& stream,
                         absl::StatusOr<std::vector<StoredFrame>> frames) {
  LockedEffects effects(mutex_);
  Seat& to = seat(reader);
  if (retired_ || tenure != tenure_ || to.stream != stream) return;
  if (!frames.ok()) return FailStore(effects);
  to.reading = false;
  const uint64_t before = to.sent;
  bool hole = frames->empty();
  for (StoredFrame& frame : *frames) {
    if (frame.number <= to.sent) continue;
    if ((hole = frame.number != to.sent + 1)) break;
    to.sent = frame.number;
    effects.Send(stream, MessageResponse(frame.number, std::move(frame.frame)));
  }
  // Frames that the stream has not been sent are gone: what is known here is no longer true. The
  // client comes back and sees by its Opened what has become of them.
  if (hole && to.sent == before && before < snapshot().log(Other(reader)).stored) {
    RequireReload();
    Fail(reader, stream, StoreAway(registry_->RetryDelay()), effects);
  }
  Advance(effects);
}

}  // namespace wormhole::relay
