// One Attach stream: gRPC's reactor on one side, the switchboard's Sink on the other.
#ifndef WORMHOLE_RELAY_RENDEZVOUS_ATTACH_REACTOR_H_
#define WORMHOLE_RELAY_RENDEZVOUS_ATTACH_REACTOR_H_

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/alarm.h"
#include "grpcpp/grpcpp.h"
#include "proto/sync/mutex.h"
#include "relay/grpc/start_loop.h"
#include "relay/rendezvous/live_streams.h"
#include "relay/rendezvous/stream_report.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::relay {

// How much memory and time a client that does not read may cost.
struct BacklogLimits {
  // Beyond either of these the relay reads no more requests until the client catches up. A client
  // that keeps the relay's limits never gets there.
  size_t bytes = 2 << 20;
  size_t responses = 256;
  // How long the client may take to read what is queued once the stream ends; then the relay
  // cancels it. Longer than any live connection stands still, and short against a drain's timeout.
  // A client that was found stuck has had its time.
  std::chrono::milliseconds ending_time{5000};
};

// Works on bytes, not messages: gRPC reports a message that it cannot parse like the end of the
// stream, and the client would miss its typed error.
//
// Threads: all of Sink from any thread. gRPC's operations are started in a StartLoop, and none
// follows Finish.
//
// Lifetime: it owns itself from Run() to OnDone(); others hold a shared_ptr.
class AttachReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                            public Sink,
                            public std::enable_shared_from_this<AttachReactor> {
 public:
  // Registers at the switchboard and asks for the first request. `peer` is whom it reports. The
  // caller returns the reactor to gRPC, which calls OnDone when it needs it no more.
  static AttachReactor* Run(grpc::CallbackServerContext* context, std::string peer,
                            Switchboard* switchboard, BacklogLimits limits,
                            StreamObserver* observer, std::shared_ptr<LiveStreams> streams);

  AttachReactor(grpc::CallbackServerContext* context, std::string peer, BacklogLimits limits,
                StreamObserver* observer, std::shared_ptr<LiveStreams> streams);

  // Sink
  void Send(rendezvous::v1::AttachResponse response) override;
  void End(absl::Status status) override;
  void ReadMore() override;
  void Flush() override;
  size_t Backlog() const override;
  bool IsStuck() override WORMHOLE_EXCLUDES(mutex_);

  // grpc::ServerBidiReactor
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  struct Queued {
    rendezvous::v1::AttachResponse response;
    size_t bytes;
  };
  enum class Action { kRead, kWrite, kFinish, kLimitEnding, kCancel };

  // What to start next; marks it as started. With kWrite, `current_` is what to write.
  std::optional<Action> NextAction() WORMHOLE_REQUIRES(mutex_);
  void Start(Action action) WORMHOLE_EXCLUDES(mutex_);
  void StartNextWrite() WORMHOLE_EXCLUDES(mutex_);
  void StartFinish() WORMHOLE_EXCLUDES(mutex_);
  // Cancels the stream unless the client reads what is queued in time: gRPC cannot finish a stream
  // while a write waits for a client that does not read.
  void LimitEnding() WORMHOLE_EXCLUDES(mutex_);
  // Ends the stream whatever is queued. The client is told why all the same: a status takes no
  // room in HTTP/2's windows, which a client that does not read has filled.
  void Cancel() WORMHOLE_EXCLUDES(mutex_);

  void Receive();
  void NoteRequest(const rendezvous::v1::AttachRequest& request);
  void NoteResponse(const rendezvous::v1::AttachResponse& response) WORMHOLE_REQUIRES(mutex_);
  void Report() WORMHOLE_EXCLUDES(mutex_);
  // Detaches, and ends the stream: the client has gone, or sent something that is no request.
  void Leave(absl::Status status, bool drop_queue) WORMHOLE_EXCLUDES(mutex_);
  bool Crowded() const WORMHOLE_REQUIRES(mutex_);

  grpc::CallbackServerContext* const context_;  // lives until OnDone
  const BacklogLimits limits_;
  StreamObserver* const observer_;  // null: no reports
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  const std::shared_ptr<LiveStreams> streams_;
  const std::string connection_;  // its other end, which may be a proxy
  // Set in Run(), before any reaction; cleared in OnDone(), after all of them.
  std::shared_ptr<AttachReactor> self_;
  std::shared_ptr<Attachment> attachment_;

  // Of gRPC between a Start* and its reaction, else of the thread in the StartLoop.
  grpc::ByteBuffer read_buffer_;
  StreamReport report_;  // of requests so far; Report() adds the rest
  grpc::ByteBuffer write_buffer_;
  rendezvous::v1::AttachResponse current_;
  bool more_follows_ = false;
  bool headers_sent_ = false;
  std::unique_ptr<grpc::Alarm> ending_alarm_;

  mutable sync::Mutex mutex_;
  StartLoop start_loop_{mutex_};
  std::list<Queued> queue_ WORMHOLE_GUARDED_BY(mutex_);
  size_t queue_bytes_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  size_t writing_bytes_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  // The largest that Backlog() has returned since the last Attachment::Drained.
  mutable size_t told_backlog_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::optional<absl::Status> ending_ WORMHOLE_GUARDED_BY(mutex_);
  uint32_t told_channel_ WORMHOLE_GUARDED_BY(mutex_) = 0;  // by Opened
  bool told_attached_ WORMHOLE_GUARDED_BY(mutex_) = false;
  uint64_t messages_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool read_wanted_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool closing_ WORMHOLE_GUARDED_BY(mutex_) =
      false;  // Close has come, and the client sends nothing after it
  bool writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  // Writes that have come to their end, and how many had at the last call of IsStuck.
  uint64_t written_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  uint64_t seen_written_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool seen_writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool stuck_ WORMHOLE_GUARDED_BY(mutex_) =
      false;  // IsStuck has said so, and nothing was written since
  bool ending_limited_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool cancel_wanted_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool finished_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_RENDEZVOUS_ATTACH_REACTOR_H_
