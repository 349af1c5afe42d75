// Two sides that throw a frame to and fro.
#ifndef WORMHOLE_TESTS_BENCH_PING_PONG_H_
#define WORMHOLE_TESTS_BENCH_PING_PONG_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/latch.h"
#include "tests/bench/raw_side.h"
#include "tests/bench/servers.h"

namespace wormhole::bench {

// Ends the process when a stream ends before its time.
class PingPong {
 public:
  static constexpr size_t kFrameBytes = 256;

  // The sides are attached when this returns; `kind` is the server's, or both servers'.
  PingPong(Kind kind, const std::shared_ptr<grpc::Channel>& first,
           const std::shared_ptr<grpc::Channel>& second);
  ~PingPong();
  PingPong(const PingPong&) = delete;
  PingPong& operator=(const PingPong&) = delete;

  void Start(uint64_t trips);
  // The time of each trip, microseconds, once all are over.
  std::vector<double> Wait();

 private:
  void OnEnd(const grpc::Status& status);
  void Throw();
  void OnFirst(RawSide& side, const AttachResponse& response);
  void OnSecond(RawSide& side, const AttachResponse& response);

  const std::string frame_;
  uint32_t channel_id_ = 0;
  uint64_t number_ = 0;
  uint64_t last_ = 0;
  double thrown_at_ = 0;
  std::atomic<bool> over_expected_ = false;
  std::vector<double> samples_;
  Latch allocated_{1};
  Latch claimed_{1};
  Latch over_{2};
  std::unique_ptr<Latch> finished_;
  std::shared_ptr<RawSide> first_;
  std::shared_ptr<RawSide> second_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_PING_PONG_H_
