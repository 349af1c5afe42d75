// The two logs of a live channel: posts on their way to the store, frames on their way to readers,
// and acknowledgements.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_DELIVERY_H_
#define WORMHOLE_RELAY_SWITCHBOARD_DELIVERY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "relay/channel/post_budget.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/channel_context.h"
#include "relay/switchboard/load_tracker.h"
#include "relay/switchboard/locked_effects.h"
#include "relay/switchboard/membership.h"
#include "relay/switchboard/post_queue.h"

namespace wormhole::relay {

// What the logs ask of the store. The channel makes the call for the tenure that it has now, and
// brings the answer to Delivery::On... under its lock, unless that tenure is over.
class LogCalls {
 public:
  virtual ~LogCalls() = default;

  virtual void Append(Role author, const QueuedPost& post, LockedEffects& effects) = 0;
  virtual void Accept(Role reader, uint64_t cursor, LockedEffects& effects) = 0;
  // Frames above `after`, for the stream that the reader has now.
  virtual void Read(Role reader, uint64_t after, LockedEffects& effects) = 0;
};

// A part of LiveChannel, guarded by its lock. The logs in the store are the truth. A reader's
// stream is sent frames from there whenever the store has more than the stream has been sent.
// Forwarding a new frame at once, before it is committed, is a shortcut that is taken when the
// stream has everything before it.
class Delivery {
 public:
  using Stream = std::shared_ptr<StreamAttachment>;

  // All outlive this object. `budget`: what the channel may post from now on.
  Delivery(ChannelContext* context, const ChannelKey* key, Membership* members, LogCalls* calls,
           const PostBudget& budget);

  // --- Posts. ---

  // A member's post: judged, forwarded if the reader can have it now, and held for the store.
  void Post(Role author, const Stream& stream, uint64_t number, std::string frame,
            LockedEffects& effects);
  // Hands held posts to the store, on the condition of the record that is known now. Only while the
  // membership is known and not being changed.
  void AppendHeld(Role author, const LoadTracker& loads, LockedEffects& effects);

  enum class AppendVerdict {
    kHandled,
    kOutdated,     // the store has another record than the one that is known here
    kStoreFailed,  // nothing here is certain any more
  };
  AppendVerdict OnAppended(Role author, uint64_t serial, const absl::StatusOr<AppendResult>& result,
                           LockedEffects& effects);

  const PostBudget& budget() const { return budget_; }
  // Whether a member's next request is not read because the channel has posted too much lately:
  // Deliver asks for it once it may come.
  bool paused() const;

  // Forwards a frame to its reader if that one has everything before it.
  void ForwardNow(Role author, uint64_t number, const std::string& frame, LockedEffects& effects);

  // --- Acknowledgements. ---

  void RaiseCursor(Role reader, uint64_t cursor, LockedEffects& effects);
  // OK, or what the store says: NOT_FOUND when the channel is gone.
  absl::Status OnAccepted(Role reader, const absl::StatusOr<LogState>& log, LockedEffects& effects);

  // --- What a member's stream is to be sent. ---

  // Sends what is pending, as far as the stream has room.
  void Deliver(Role role, LockedEffects& effects);
  // Only for the stream that Read was asked for. False: frames that the stream has not been sent
  // are gone, so that what is known here is no longer true.
  bool OnRead(Role reader, std::vector<StoredFrame> frames, LockedEffects& effects);

 private:
  absl::Status Judge(Role author, size_t queued_before, uint64_t number, size_t bytes) const;
  void AnswerPost(Role author, const QueuedPost& post);
  void AcceptIfBehind(Role reader, LockedEffects& effects);
  void AskForMore(Role role, LockedEffects& effects);
  void ReadFromStore(Role reader, LockedEffects& effects);

  ChannelContext* const context_;
  const ChannelKey* const key_;
  Membership* const members_;
  LogCalls* const calls_;
  PostBudget budget_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_DELIVERY_H_
