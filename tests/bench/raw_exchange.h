// One exchange without the client library: the streams and frames of proto/PROTOCOL.md section 4,
// of the same sizes, with nothing computed.
#ifndef WORMHOLE_TESTS_BENCH_RAW_EXCHANGE_H_
#define WORMHOLE_TESTS_BENCH_RAW_EXCHANGE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include "tests/bench/exchange_outcome.h"
#include "tests/bench/raw_side.h"
#include "tests/bench/servers.h"

namespace wormhole::bench {

// Frames as the library serializes them: shares with their associated data, a tag, and a box of 256
// padded bytes with nonce and tag.
inline constexpr size_t kPakeInitiatorBytes = 118;
inline constexpr size_t kPakeReceiverBytes = 117;
inline constexpr size_t kConfirmBytes = 36;
inline constexpr size_t kSealedBytes = 302;

class RawExchange : public std::enable_shared_from_this<RawExchange> {
 public:
  // `on_end` runs once both streams have ended, on a thread of gRPC's. The channel must live until
  // then; its owner destroys it.
  using OnEnd = std::function<void(const ExchangeOutcome&)>;
  static void Start(const std::shared_ptr<grpc::Channel>& channel, Kind kind, OnEnd on_end);

  RawExchange(const std::shared_ptr<grpc::Channel>& channel, OnEnd on_end)
      : channel_(channel), on_end_(std::move(on_end)) {}

 private:
  void OnInitiator(RawSide& side, const AttachResponse& response);
  void OnReceiver(RawSide& side, const AttachResponse& response);
  void StartReceiver(uint32_t channel_id);
  void OnSideEnd(const Traffic& traffic);

  const std::weak_ptr<grpc::Channel> channel_;
  const OnEnd on_end_;
  double claimed_at_ = 0;
  ExchangeOutcome outcome_;
  std::atomic<int> requests_{0}, responses_{0};
  std::atomic<int> streams_{1};
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_RAW_EXCHANGE_H_
