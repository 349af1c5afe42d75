// Posts, acknowledgements and delivery.
#include <algorithm>
#include <utility>

#include "relay/switchboard/live_channel.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/responses.h"

namespace wormhole::relay {

// The shortcut: a reader that has everything before this frame gets it before it is committed.
void LiveChannel::HandOver(Role author, uint64_t number, const std::string& frame, Turn& turn) {
  const Role reader = Other(author);
  Seat& to = seat(reader);
  if (!to.stream || to.reading || to.deaf || to.sent + 1 != number) return;
  if (record().member(reader).left || !to.stream->HasRoom()) return;
  turn.Send(to.stream, MessageResponse(number, frame));
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

void LiveChannel::AppendHeld(Role author, Turn& turn) {
  if (!Settled() || tenure_->posts_need_load > loads_done_) return;
  PostQueue& queue = work(author).posts;
  const uint64_t version = record().version;
  if (queue.any_in_flight_of_other_than(version)) return;
  for (size_t i = 0; i < queue.size(); ++i) {
    QueuedPost& post = queue.posts()[i];
    if (post.in_flight) continue;
    if (tenure_->rejudge.test(static_cast<size_t>(author))) {
      absl::Status verdict = Judge(author, i, post.number, post.frame.size());
      if (!verdict.ok()) {
        Fail(author, Stream(post.stream), std::move(verdict), turn);
        return AppendHeld(author, turn);
      }
    }
    post.in_flight = true;
    post.version = version;
    CallStore(turn).Append(ThisChannel(), version, author, post.number, post.frame,
                           [self = shared_from_this(), tenure = tenure_, author,
                            serial = post.serial](const absl::StatusOr<AppendResult>& result) {
                             self->OnAppended(tenure, author, serial, result);
                           });
  }
  tenure_->rejudge.reset(static_cast<size_t>(author));
}

void LiveChannel::OnAppended(const std::shared_ptr<Tenure>& tenure, Role author, uint64_t serial,
                             const absl::StatusOr<AppendResult>& result) {
  Turn turn(mutex_);
  if (retired_ || tenure != tenure_) return;
  if (!result.ok()) return Abandon(turn);
  PostQueue& queue = work(author).posts;
  switch (result->outcome) {
    case AppendOutcome::kDone:
      UpdateLog(author, result->log);
      if (const auto post = queue.Take(serial)) AnswerPost(author, *post);
      break;
    case AppendOutcome::kConflict:
      if (const auto post = queue.Take(serial)) {
        Fail(author, post->stream, Conflict(post->number), turn);
      }
      break;
    case AppendOutcome::kGap:
      // It was judged to be the next one. If no post before it has failed, the store has lost what
      // it had: it was restored from an older copy.
      if (const auto post = queue.Take(serial); post && seat(author).stream == post->stream) {
        return Abandon(turn);
      }
      break;
    case AppendOutcome::kStale:
      // It goes again on the condition of the record that is known now, or of one that is loaded.
      if (queue.Return(serial) == record().version && !TakeKnown(turn)) {
        tenure_->posts_need_load = Doubt();
      }
      break;
  }
  Advance(turn);
}

void LiveChannel::AnswerPost(Role author, const QueuedPost& post) {
  Seat& from = seat(author);
  if (from.stream != post.stream) return;  // a later stream learns it from its own posts
  from.owes_posted = std::max(from.owes_posted, post.number);
  if (post.repeat) from.owes_read = true;
}

bool LiveChannel::TakesPosts(Role author) const {
  const ChannelLimits& limits = registry_->options().limits;
  const PostQueue& queue = tenure_->works[static_cast<size_t>(author)].posts;
  return queue.size() <= limits.window_frames && queue.held_bytes() <= limits.window_bytes;
}

void LiveChannel::RaiseCursor(Role reader, uint64_t cursor, Turn& turn) {
  // What a side that has left still says changes nothing: else its peer would take for accepted
  // what nobody will ever read.
  if (record().member(reader).left) return;
  // What the reader has, it need not be sent.
  seat(reader).sent = std::max(seat(reader).sent, cursor);
  work(reader).cursor = std::max(work(reader).cursor, cursor);
  AcceptIfBehind(reader, turn);
}

// One acknowledgement at a time; the latest follows.
void LiveChannel::AcceptIfBehind(Role reader, Turn& turn) {
  Work& asked = work(reader);
  const Role author = Other(reader);
  if (asked.accepting || asked.cursor <= snapshot().log(author).accepted) return;
  asked.accepting = true;
  CallStore(turn).Accept(
      ThisChannel(), author, asked.cursor,
      [self = shared_from_this(), tenure = tenure_, reader](const absl::StatusOr<LogState>& log) {
        self->OnAccepted(tenure, reader, log);
      });
}

void LiveChannel::OnAccepted(const std::shared_ptr<Tenure>& tenure, Role reader,
                             const absl::StatusOr<LogState>& log) {
  Turn turn(mutex_);
  if (retired_ || tenure != tenure_) return;
  work(reader).accepting = false;
  if (log.ok()) {
    UpdateLog(Other(reader), *log);
    AcceptIfBehind(reader, turn);
  } else if (absl::IsNotFound(log.status())) {
    // The channel is gone: the load that follows says how.
    Doubt();
  } else {
    return Abandon(turn);
  }
  Advance(turn);
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
  if (log.accepted > known.accepted) seat(author).owes_status = true;
  known = log;
}

// Sends what the stream is owed, as far as it has room.
void LiveChannel::Deliver(Role role, Turn& turn) {
  Seat& to = seat(role);
  if (!to.stream) return;
  if (to.owes_read && TakesPosts(role)) {
    to.owes_read = false;
    turn.ReadMore(to.stream);
  }
  if (to.owes_posted != 0 || to.owes_status) {
    if (!to.stream->HasRoom()) return;
    if (to.owes_posted != 0) turn.Send(to.stream, PostedResponse(to.owes_posted));
    if (to.owes_status) {
      turn.Send(to.stream, PeerStatusResponse(PresenceOf(Other(role)),
                                              snapshot().log(role).accepted, to.third_parties));
    }
    to.owes_posted = 0;
    to.owes_status = false;
  }
  Pump(role, turn);
}

void LiveChannel::Pump(Role reader, Turn& turn) {
  Seat& to = seat(reader);
  const Role author = Other(reader);
  if (to.reading || to.deaf || record().member(reader).left) return;
  if (to.sent >= snapshot().log(author).stored || !to.stream->HasRoom()) return;
  to.reading = true;
  CallStore(turn).Read(ThisChannel(), author, to.sent, registry_->options().limits.window_bytes,
                       [self = shared_from_this(), tenure = tenure_, reader,
                        stream = to.stream](absl::StatusOr<std::vector<StoredFrame>> frames) {
                         self->OnRead(tenure, reader, stream, std::move(frames));
                       });
}

void LiveChannel::OnRead(const std::shared_ptr<Tenure>& tenure, Role reader, const Stream& stream,
                         absl::StatusOr<std::vector<StoredFrame>> frames) {
  Turn turn(mutex_);
  Seat& to = seat(reader);
  if (retired_ || tenure != tenure_ || to.stream != stream) return;
  if (!frames.ok()) return Abandon(turn);
  to.reading = false;
  const uint64_t before = to.sent;
  bool hole = frames->empty();
  for (StoredFrame& frame : *frames) {
    if (frame.number <= to.sent) continue;
    if ((hole = frame.number != to.sent + 1)) break;
    to.sent = frame.number;
    turn.Send(stream, MessageResponse(frame.number, std::move(frame.frame)));
  }
  // Frames that the stream has not been sent are gone: what is known here is no longer true. The
  // client comes back and sees by its Opened what has become of them.
  if (hole && to.sent == before && before < snapshot().log(Other(reader)).stored) {
    Doubt();
    Fail(reader, stream, StoreAway(registry_->RetryDelay()), turn);
  }
  Advance(turn);
}

}  // namespace wormhole::relay
