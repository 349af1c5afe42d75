#include "relay/channelz/channelz_service.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "google/protobuf/util/json_util.h"
#include "grpc/grpc.h"
#include "grpc/support/alloc.h"
#include "relay/grpc/unary_call.h"

namespace wormhole::relay {
namespace {

namespace v1 = grpc::channelz::v1;

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// The methods, by their places in channelz.proto.
enum Method {
  kGetTopChannels,
  kGetServers,
  kGetServer,
  kGetServerSockets,
  kGetChannel,
  kGetSubchannel,
  kGetSocket,
};

template <typename Request, typename Response>
void Answer(char* json, UnaryCall<Request, Response>& call) {
  const std::unique_ptr<char, void (*)(void*)> owned(json, gpr_free);
  if (json == nullptr) {
    return call.End(grpc::Status(grpc::StatusCode::NOT_FOUND, "nothing here has that id"));
  }
  Response response;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto parsed = google::protobuf::util::JsonStringToMessage(json, &response, options);
  if (!parsed.ok()) return call.End(grpc::Status(grpc::StatusCode::INTERNAL, parsed.ToString()));
  call.Answer(response);
}

}  // namespace

ChannelzService::ChannelzService(CallGate* gate) : calls_(kMaxCalls, kAnswerTime, gate) {
  Serve<v1::GetTopChannelsRequest, v1::GetTopChannelsResponse>(
      kGetTopChannels,
      [](const auto& asked) { return grpc_channelz_get_top_channels(asked.start_channel_id()); });
  Serve<v1::GetServersRequest, v1::GetServersResponse>(kGetServers, [](const auto& asked) {
    return grpc_channelz_get_servers(asked.start_server_id());
  });
  Serve<v1::GetServerRequest, v1::GetServerResponse>(
      kGetServer, [](const auto& asked) { return grpc_channelz_get_server(asked.server_id()); });
  Serve<v1::GetServerSocketsRequest, v1::GetServerSocketsResponse>(
      kGetServerSockets, [](const auto& asked) {
        return grpc_channelz_get_server_sockets(asked.server_id(), asked.start_socket_id(),
                                                asked.max_results());
      });
  Serve<v1::GetChannelRequest, v1::GetChannelResponse>(
      kGetChannel, [](const auto& asked) { return grpc_channelz_get_channel(asked.channel_id()); });
  Serve<v1::GetSubchannelRequest, v1::GetSubchannelResponse>(kGetSubchannel, [](const auto& asked) {
    return grpc_channelz_get_subchannel(asked.subchannel_id());
  });
  Serve<v1::GetSocketRequest, v1::GetSocketResponse>(
      kGetSocket, [](const auto& asked) { return grpc_channelz_get_socket(asked.socket_id()); });
}

template <typename Request, typename Response>
void ChannelzService::Serve(int index, std::function<char*(const Request&)> ask) {
  using Call = UnaryCall<Request, Response>;
  ServeAsStream(index, [this, ask = std::move(ask)](grpc::CallbackServerContext* context) {
    return Call::Begin(
        calls_.Enter(*context, SteadyNow()),
        [ask](const Request& request, const auto& call) { Answer(ask(request), *call); });
  });
}

void ChannelzService::CutLate() { calls_.CutLate(SteadyNow()); }

}  // namespace wormhole::relay
