#include "relay/switchboard/delivery.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "relay/channel/rules.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/responses.h"

namespace wormhole::relay {

Delivery::Delivery(ChannelContext* context, const ChannelKey* key, Membership* members,
                   LogCalls* calls, const PostBudget& budget)
    : context_(context), key_(key), members_(members), calls_(calls), budget_(budget) {}

void Delivery::Post(Role author, const Stream& stream, uint64_t number, std::string frame,
                    LockedEffects& effects) {
  LiveMember& member = members_->member(author);
  PostQueue& posts = member.posts;
  absl::Status verdict = Judge(author, posts.size(), number, frame.size());
  if (!verdict.ok()) return members_->Fail(author, stream, std::move(verdict), effects);
  const bool repeat =
      number <= std::max(members_->snapshot().log(author).stored, posts.last(posts.size()));
  // What is posted again takes no room, nor does what the reader has accepted already.
  if (const LogState& log = members_->snapshot().log(author); !repeat && number > log.accepted) {
    verdict = context_->JudgeStored(frame.size(), log.bytes, stream->origin(), key_->app_id);
    if (!verdict.ok()) return members_->Fail(author, stream, std::move(verdict), effects);
  }
  budget_.Take(frame.size(), context_->steady_now());  // also for a repeat, which is read, too
  // A repeat may have other bytes, which the store finds out.
  if (!repeat) {
    ForwardNow(author, number, frame, effects);
    if (auto* observer = context_->observer()) observer->OnFrame(key_->app_id, frame.size());
  }
  posts.Add({.number = number, .frame = std::move(frame), .stream = stream, .repeat = repeat});
  // A repeat is answered before more is read.
  if (!repeat) member.here.pending_read = true;
}

absl::Status Delivery::Judge(Role author, size_t queued_before, uint64_t number,
                             size_t bytes) const {
  const LogState& log = members_->snapshot().log(author);
  const PostQueue& posts = members_->member(author).posts;
  const PostRequest request{
      .number = number,
      .bytes = bytes,
      .pending_last = posts.last(queued_before),
      .pending_bytes = posts.bytes(queued_before, std::max(log.accepted, log.stored)),
  };
  return JudgePost(members_->snapshot(), author, request, context_->wall_now(),
                   context_->options().limits);
}

void Delivery::AppendHeld(Role author, const LoadTracker& loads, LockedEffects& effects) {
  LiveMember& member = members_->member(author);
  const uint64_t version = members_->record().version;
  if (!loads.Has(members_->tenure()->posts_need_load) || !member.posts.ReadyFor(version)) return;
  for (size_t i = 0; i < member.posts.size(); ++i) {
    QueuedPost& post = member.posts.posts()[i];
    if (post.in_flight) continue;
    if (member.revalidate) {
      absl::Status verdict = Judge(author, i, post.number, post.frame.size());
      if (!verdict.ok()) {
        members_->Fail(author, Stream(post.stream), std::move(verdict), effects);
        return AppendHeld(author, loads, effects);
      }
    }
    post.in_flight = true;
    post.version = version;
    calls_->Append(author, post, effects);
  }
  member.revalidate = false;
}

Delivery::AppendVerdict Delivery::OnAppended(Role author, uint64_t serial,
                                             const absl::StatusOr<AppendResult>& result,
                                             LockedEffects& effects) {
  if (!result.ok()) return AppendVerdict::kStoreFailed;
  LiveMember& member = members_->member(author);
  switch (result->outcome) {
    case AppendOutcome::kDone:
      members_->UpdateLog(author, result->log);
      if (const auto post = member.posts.Take(serial)) AnswerPost(author, *post);
      break;
    case AppendOutcome::kConflict:
      if (const auto post = member.posts.Take(serial)) {
        members_->Fail(author, post->stream, Conflict(post->number), effects);
      }
      break;
    case AppendOutcome::kGap:
      // It was judged to be the next one. If no post before it has failed, the store has lost what
      // it had: it was restored from an older copy.
      if (const auto post = member.posts.Take(serial); post && member.here.stream == post->stream) {
        return AppendVerdict::kStoreFailed;
      }
      break;
    case AppendOutcome::kStale:
      // It goes again on the condition of the record that is known now, or of a newer one.
      if (member.posts.Return(serial) == members_->record().version) {
        return AppendVerdict::kOutdated;
      }
      break;
  }
  return AppendVerdict::kHandled;
}

void Delivery::AnswerPost(Role author, const QueuedPost& post) {
  MemberStream& from = members_->member(author).here;
  if (from.stream != post.stream) return;  // a later stream learns it from its own posts
  from.pending_posted = std::max(from.pending_posted, post.number);
  if (post.repeat) from.pending_read = true;
}

void Delivery::ForwardNow(Role author, uint64_t number, const std::string& frame,
                          LockedEffects& effects) {
  const Role reader = Other(author);
  MemberStream& to = members_->member(reader).here;
  if (!to.Expects(number) || members_->record().member(reader).left) return;
  if (!to.stream->HasRoom()) return;
  effects.Send(to.stream, MessageResponse(number, frame));
  to.sent = number;
}

void Delivery::RaiseCursor(Role reader, uint64_t cursor, LockedEffects& effects) {
  // What a side that has left still says changes nothing: else its peer would take for accepted
  // what nobody will ever read.
  if (members_->record().member(reader).left) return;
  LiveMember& member = members_->member(reader);
  // What the reader has, it need not be sent.
  member.here.sent = std::max(member.here.sent, cursor);
  member.cursor = std::max(member.cursor, cursor);
  AcceptIfBehind(reader, effects);
}

// One acknowledgement at a time; the latest follows.
void Delivery::AcceptIfBehind(Role reader, LockedEffects& effects) {
  LiveMember& member = members_->member(reader);
  if (member.accepting) return;
  if (member.cursor <= members_->snapshot().log(Other(reader)).accepted) return;
  member.accepting = true;
  calls_->Accept(reader, member.cursor, effects);
}

absl::Status Delivery::OnAccepted(Role reader, const absl::StatusOr<LogState>& log,
                                  LockedEffects& effects) {
  members_->member(reader).accepting = false;
  if (!log.ok()) return log.status();
  members_->UpdateLog(Other(reader), *log);
  AcceptIfBehind(reader, effects);
  return absl::OkStatus();
}

void Delivery::Deliver(Role role, LockedEffects& effects) {
  LiveMember& member = members_->member(role);
  MemberStream& to = member.here;
  if (!to.stream) return;
  if (to.pending_read && member.TakesPosts(context_->options().limits)) AskForMore(role, effects);
  if (to.pending_posted != 0 || to.pending_status) {
    if (!to.stream->HasRoom()) return;
    if (to.pending_posted != 0) effects.Send(to.stream, PostedResponse(to.pending_posted));
    if (to.pending_status) {
      effects.Send(to.stream,
                   PeerStatusResponse(members_->PresenceOf(Other(role)),
                                      members_->snapshot().log(role).accepted, to.third_parties));
    }
    to.pending_posted = 0;
    to.pending_status = false;
  }
  ReadFromStore(role, effects);
}

// Whoever comes back with a new stream finds the same budget, and may have to wait as well.
void Delivery::AskForMore(Role role, LockedEffects& effects) {
  MemberStream& from = members_->member(role).here;
  from.paused = !budget_.Allows(context_->steady_now());
  if (from.paused) return;
  from.pending_read = false;
  effects.ReadMore(from.stream);
}

bool Delivery::paused() const {
  return std::any_of(std::begin(kRoles), std::end(kRoles),
                     [this](Role role) { return members_->member(role).here.paused; });
}

void Delivery::ReadFromStore(Role reader, LockedEffects& effects) {
  MemberStream& to = members_->member(reader).here;
  if (!to.Lacks(members_->snapshot().log(Other(reader)).stored)) return;
  if (members_->record().member(reader).left || !to.stream->HasRoom()) return;
  to.reading = true;
  calls_->Read(reader, to.sent, effects);
}

bool Delivery::OnRead(Role reader, std::vector<StoredFrame> frames, LockedEffects& effects) {
  MemberStream& to = members_->member(reader).here;
  to.reading = false;
  const uint64_t before = to.sent;
  bool hole = frames.empty();
  for (StoredFrame& frame : frames) {
    if (frame.number <= to.sent) continue;
    if ((hole = frame.number != to.sent + 1)) break;
    to.sent = frame.number;
    effects.Send(to.stream, MessageResponse(frame.number, std::move(frame.frame)));
  }
  return !(hole && to.sent == before && before < members_->snapshot().log(Other(reader)).stored);
}

}  // namespace wormhole::relay
