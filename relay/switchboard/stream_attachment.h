// One stream: its requests on their way to the channel that it is bound to, and the channel's
// answers on their way to the stream's sink.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_STREAM_ATTACHMENT_H_
#define WORMHOLE_RELAY_SWITCHBOARD_STREAM_ATTACHMENT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/switchboard/bound_channel.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/stream_context.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::relay {

// Thread-safe. Its mutex is a leaf: no other lock of the switchboard is taken under it.
class StreamAttachment final : public Attachment,
                               public std::enable_shared_from_this<StreamAttachment> {
 public:
  StreamAttachment(std::shared_ptr<StreamContext> context, std::shared_ptr<Sink> sink,
                   const StreamOrigin& origin);
  ~StreamAttachment() override;

  // Attachment: called by the stream.
  void Receive(rendezvous::v1::AttachRequest request) override;
  void Drained() override;
  void Detach() override;

  // For the channel, which calls under its lock, and for what comes before there is one. After
  // Detach nothing of this reaches the sink, and Bind returns false. So a channel that has bound a
  // stream learns of its end by BoundChannel::Detach.
  bool Bind(std::shared_ptr<BoundChannel> channel) WORMHOLE_EXCLUDES(mutex_);
  bool over() const WORMHOLE_EXCLUDES(mutex_);
  void Send(rendezvous::v1::AttachResponse response) WORMHOLE_EXCLUDES(mutex_);
  void End(absl::Status status) WORMHOLE_EXCLUDES(mutex_);
  void ReadMore() WORMHOLE_EXCLUDES(mutex_);
  // Whether the sink's backlog is below the window. When it is not, BoundChannel::Drained follows
  // once it is.
  bool HasRoom() WORMHOLE_EXCLUDES(mutex_);
  // As Sink::IsStuck.
  bool IsStuck() WORMHOLE_EXCLUDES(mutex_);

  // Without locks: starts what was noted.
  void Flush() WORMHOLE_EXCLUDES(mutex_);

  // Without locks: ends the stream for a reason of the relay's own. Sends `last` before that,
  // unless Opened has not been sent yet, which is the first message to a client.
  void Dismiss(std::optional<rendezvous::v1::AttachResponse> last, absl::Status status)
      WORMHOLE_EXCLUDES(mutex_);

  const StreamOrigin& origin() const { return origin_; }
  // By SwitchboardEnvironment::steady_now.
  absl::Duration old_at() const { return old_at_; }
  // Whether the client has said what it wants.
  bool opened() const { return opened_; }
  // Whether it came before `time`, and has not said yet what it wants.
  bool IsUnopenedSince(absl::Duration time) const { return !opened_ && came_at_ < time; }
  // Whether the client has said nothing since `time`. While the relay does not read what it says,
  // such as a heartbeat, its silence says nothing: before Opened, and while the store has not
  // answered, or the channel has posted too much. To be asked often, since that is when the time
  // begins anew from which it can be heard again.
  bool IsSilentSince(absl::Duration time);

 private:
  void Dispatch(BoundChannel& channel, rendezvous::v1::AttachRequest request);
  void NoteHeard();
  void Heartbeat() WORMHOLE_EXCLUDES(mutex_);
  bool RoomLocked(size_t limit) WORMHOLE_REQUIRES(mutex_);
  void AnswerHeartbeat() WORMHOLE_REQUIRES(mutex_);
  std::shared_ptr<BoundChannel> channel() const WORMHOLE_EXCLUDES(mutex_);

  const std::shared_ptr<StreamContext> context_;
  const StreamOrigin origin_;
  const absl::Duration came_at_;
  const absl::Duration old_at_;  // when it reaches its maximum age
  std::atomic<int64_t> last_heard_;
  std::atomic<bool> reads_ = true;  // the next request is read as soon as it comes
  std::atomic<bool> held_ = false;  // it was not when somebody looked last
  std::atomic<bool> wants_room_ = false;
  std::atomic<bool> opened_ = false;  // the first request has come

  mutable sync::Mutex mutex_;
  std::shared_ptr<Sink> sink_ WORMHOLE_GUARDED_BY(mutex_);  // null: detached
  bool ended_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool told_ WORMHOLE_GUARDED_BY(mutex_) = false;  // a message was sent; the first is Opened
  bool pending_heartbeat_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::shared_ptr<BoundChannel> channel_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_STREAM_ATTACHMENT_H_
