// grpc.channelz.v1.Channelz: what gRPC says of the servers, channels and sockets of this process.
//
// gRPC's own (libgrpcpp_channelz) blocks a thread for each call, shows calls that say nothing to
// nobody, and comes with its library, on every server of the process.
#ifndef WORMHOLE_RELAY_CHANNELZ_CHANNELZ_SERVICE_H_
#define WORMHOLE_RELAY_CHANNELZ_CHANNELZ_SERVICE_H_

#include <cstddef>
#include <functional>

#include "absl/time/time.h"
#include "grpc/channelz/v1/channelz.grpc.pb.h"
#include "relay/grpc/call_gate.h"
#include "relay/grpc/call_limit.h"
#include "relay/grpc/streamed_service.h"

namespace wormhole::relay {

// Thread-safe. A call reads all of its answer at once, under gRPC's locks.
class ChannelzService final : public StreamedService<grpc::channelz::v1::Channelz::Service> {
 public:
  // Calls at a time, of which the oldest gives way to the newest, and how long one may take until
  // its answer has been read.
  static constexpr size_t kMaxCalls = 16;
  static constexpr absl::Duration kAnswerTime = absl::Seconds(20);

  // `gate` counts the calls of each client, and outlives this. Null: as many as like.
  explicit ChannelzService(CallGate* gate = nullptr);

  // Cuts calls that have taken longer than kAnswerTime. To be called now and then.
  void CutLate();

 private:
  // `ask` returns gRPC's answer in JSON, for gpr_free; null: there is nothing like that.
  template <typename Request, typename Response>
  void Serve(int index, std::function<char*(const Request&)> ask);

  CallLimit calls_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CHANNELZ_CHANNELZ_SERVICE_H_
