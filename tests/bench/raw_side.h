// One Attach stream without the client library: what the floor and the relay are both driven with.
#ifndef WORMHOLE_TESTS_BENCH_RAW_SIDE_H_
#define WORMHOLE_TESTS_BENCH_RAW_SIDE_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "grpcpp/grpcpp.h"
#include "tests/bench/exchange_outcome.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::bench {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

inline constexpr char kAppId[] = "example.com/bench";

// Plaintext. A channel that is not shared has a connection that no other channel uses. To be
// destroyed on a thread that is not gRPC's: with the last channel of a process gRPC 1.51 joins its
// callback threads.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

// `id` 0 lets the relay draw one; the floor has to be given one. Each has a token of its own.
AttachRequest OpenAllocate(uint32_t id);
AttachRequest OpenClaim(uint32_t id);

// Keeps the window as every client must: a post beyond it waits for the peer's acknowledgement.
// Owns itself until the stream has ended. All methods from any thread.
class RawSide final : public grpc::ClientBidiReactor<AttachRequest, AttachResponse>,
                      public std::enable_shared_from_this<RawSide> {
 public:
  // Both run on gRPC's threads, `on_end` once and last, when the call that keeps the side has let
  // go of it, and so of the channel.
  using OnResponse = std::function<void(RawSide&, const AttachResponse&)>;
  using OnEnd = std::function<void(const grpc::Status&, const Traffic&)>;

  static std::shared_ptr<RawSide> Start(const std::shared_ptr<grpc::Channel>& channel,
                                        AttachRequest open, OnResponse on_response, OnEnd on_end);

  RawSide(const std::shared_ptr<grpc::Channel>& channel, OnResponse on_response, OnEnd on_end);

  void Post(uint64_t number, std::string_view frame);
  void Ack(uint64_t number);
  void Close(rendezvous::v1::Mood mood);
  void Cancel() { context_.TryCancel(); }

  // grpc::ClientBidiReactor
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void Send(AttachRequest request);
  void NoteWindow(const AttachResponse& response);
  // The request that may be written now: the first, or an acknowledgement that overtakes a post.
  std::list<AttachRequest>::iterator NextToWrite();
  // Starts the next write. The stream is held from the start until reads have ended and nothing is
  // being written, so that a write can start from any thread.
  void Advance(bool written, bool over);

  grpc::ClientContext context_;
  rendezvous::v1::RendezvousService::Stub stub_;
  const OnResponse on_response_;
  OnEnd on_end_;                   // until OnDone
  std::shared_ptr<RawSide> self_;  // until OnDone
  AttachRequest current_;
  AttachResponse response_;
  Traffic traffic_;

  std::mutex mutex_;
  std::list<AttachRequest> queue_;
  uint64_t peer_cursor_ = 0;
  uint64_t window_frames_ = 1'000'000'000;  // until Opened says otherwise; the floor has none
  bool writing_ = false;
  bool over_ = false;
  bool held_ = true;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_RAW_SIDE_H_
