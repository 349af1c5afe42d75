#include "tests/bench/raw_exchange.h"

#include <string>
#include <utility>

#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

using rendezvous::v1::MOOD_HAPPY;

std::string Frame(size_t bytes) { return std::string(bytes, 'f'); }

}  // namespace

void RawExchange::Start(const std::shared_ptr<grpc::Channel>& channel, Kind kind, OnEnd on_end) {
  static std::atomic<uint32_t> ids = 1'000'000;
  auto exchange = std::make_shared<RawExchange>(channel, std::move(on_end));
  RawSide::Start(
      channel, OpenAllocate(kind == Kind::kFloor ? ++ids : 0),
      [exchange](RawSide& side, const AttachResponse& response) {
        exchange->OnInitiator(side, response);
      },
      [exchange](const grpc::Status&, const Traffic& traffic) { exchange->OnSideEnd(traffic); });
}

void RawExchange::OnInitiator(RawSide& side, const AttachResponse& response) {
  if (response.has_opened()) {
    side.Post(1, Frame(kPakeInitiatorBytes));
    StartReceiver(response.opened().channel_id());
  }
  if (!response.has_message()) return;
  if (response.message().number() == 1) {
    side.Post(2, Frame(kConfirmBytes));
    side.Post(3, Frame(kSealedBytes));
  } else {
    side.Ack(2);
    side.Close(MOOD_HAPPY);
  }
}

void RawExchange::StartReceiver(uint32_t channel_id) {
  ++streams_;
  claimed_at_ = NowMicros();
  RawSide::Start(
      channel_.lock(), OpenClaim(channel_id),
      [exchange = shared_from_this()](RawSide& side, const AttachResponse& response) {
        exchange->OnReceiver(side, response);
      },
      [exchange = shared_from_this()](const grpc::Status&, const Traffic& traffic) {
        exchange->OnSideEnd(traffic);
      });
}

void RawExchange::OnReceiver(RawSide& side, const AttachResponse& response) {
  if (!response.has_message()) return;
  const uint64_t number = response.message().number();
  if (number == 1) side.Post(1, Frame(kPakeReceiverBytes));
  if (number == 2) side.Post(2, Frame(kSealedBytes));
  if (number != 3) return;
  outcome_.claim_to_data = NowMicros() - claimed_at_;
  side.Ack(3);
  side.Close(MOOD_HAPPY);
}

void RawExchange::OnSideEnd(const Traffic& traffic) {
  requests_ += traffic.requests;
  responses_ += traffic.responses;
  if (--streams_ != 0) return;
  outcome_.traffic = {.requests = requests_, .responses = responses_};
  on_end_(outcome_);
}

}  // namespace wormhole::bench
