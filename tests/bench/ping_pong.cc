#include "tests/bench/ping_pong.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

using rendezvous::v1::MOOD_LONELY;

// A quarter of the relay's window.
constexpr uint64_t kAckEvery = 4;

}  // namespace

PingPong::PingPong(Kind kind, const std::shared_ptr<grpc::Channel>& first,
                   const std::shared_ptr<grpc::Channel>& second)
    : frame_(kFrameBytes, 'f') {
  static std::atomic<uint32_t> ids = 0;
  const uint32_t id = kind == Kind::kFloor ? ++ids : 0;
  first_ = RawSide::Start(
      first, OpenAllocate(id), [this](RawSide& a, const AttachResponse& r) { OnFirst(a, r); },
      [this](const grpc::Status& status, const Traffic&) { OnEnd(status); });
  allocated_.Wait("an allocation");
  second_ = RawSide::Start(
      second, OpenClaim(channel_id_),
      [this](RawSide& b, const AttachResponse& r) { OnSecond(b, r); },
      [this](const grpc::Status& status, const Traffic&) { OnEnd(status); });
  claimed_.Wait("a claim");
}

PingPong::~PingPong() {
  over_expected_ = true;
  first_->Close(MOOD_LONELY);
  second_->Close(MOOD_LONELY);
  over_.Wait("the end of a round");
}

void PingPong::Start(uint64_t trips) {
  last_ += trips;
  samples_.clear();
  samples_.reserve(trips);
  finished_ = std::make_unique<Latch>(1);
  Throw();
}

std::vector<double> PingPong::Wait() {
  finished_->Wait("round trips");
  return std::move(samples_);
}

void PingPong::OnEnd(const grpc::Status& status) {
  if (!over_expected_) {
    std::fprintf(stderr, "bench: a stream ended: %s\n", status.error_message().c_str());
    std::exit(EXIT_FAILURE);
  }
  over_.CountDown();
}

void PingPong::Throw() {
  thrown_at_ = NowMicros();
  first_->Post(++number_, frame_);
}

void PingPong::OnFirst(RawSide& side, const AttachResponse& response) {
  if (response.has_opened()) {
    channel_id_ = response.opened().channel_id();
    allocated_.CountDown();
  }
  if (!response.has_message()) return;
  samples_.push_back(NowMicros() - thrown_at_);
  const uint64_t taken = number_;
  const bool over = taken == last_;
  if (!over) Throw();
  // The last one of a start, too: single trips would fill the window else.
  if (taken % kAckEvery == 0) side.Ack(taken);
  if (over) finished_->CountDown();
}

void PingPong::OnSecond(RawSide& side, const AttachResponse& response) {
  if (response.has_opened()) claimed_.CountDown();
  if (!response.has_message()) return;
  const uint64_t number = response.message().number();
  side.Post(number, response.message().frame());
  if (number % kAckEvery == 0) side.Ack(number);
}

}  // namespace wormhole::bench
