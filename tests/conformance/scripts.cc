#include "tests/conformance/scripts.h"

#include <utility>

namespace wormhole::conformance {
namespace {

// `change` gets each response of the kind with the vector that it stands alone in.
Script OnResponse(AttachResponse::ResponseCase what, size_t streams,
                  std::function<void(std::vector<AttachResponse>&)> change) {
  Script script;
  script.on_response = [=](size_t stream, std::vector<AttachResponse>& responses) {
    if (stream < streams && responses[0].response_case() == what) change(responses);
  };
  return script;
}

}  // namespace

Script ChangeOpened(std::function<void(rendezvous::v1::Opened&)> change, size_t streams) {
  return OnResponse(AttachResponse::kOpened, streams, [=](std::vector<AttachResponse>& responses) {
    change(*responses[0].mutable_opened());
  });
}

Script EndAt(Arm what, grpc::Status status, size_t streams) {
  Script script;
  script.on_request = [=](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (stream >= streams || request.request_case() != what) return false;
    channel.End(stream, status);
    return true;
  };
  return script;
}

Script EndAfter(Arm what, grpc::Status status, size_t streams) {
  Script script;
  script.on_request = [=](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (stream >= streams || request.request_case() != what) return false;
    channel.Honestly(stream, request);
    channel.End(stream, status);
    return true;
  };
  return script;
}

Script Before(AttachResponse::ResponseCase what, AttachResponse extra, size_t streams) {
  return OnResponse(what, streams, [=](std::vector<AttachResponse>& responses) {
    responses.insert(responses.begin(), extra);
  });
}

Script After(AttachResponse::ResponseCase what, AttachResponse extra, size_t streams) {
  return OnResponse(what, streams,
                    [=](std::vector<AttachResponse>& responses) { responses.push_back(extra); });
}

Script Without(AttachResponse::ResponseCase what, size_t streams) {
  return OnResponse(what, streams,
                    [](std::vector<AttachResponse>& responses) { responses.clear(); });
}

Script ChangeFrame(uint64_t number, std::function<void(std::string& frame)> change) {
  Script script;
  script.on_frame = [=](uint64_t n, std::string& frame) {
    if (n == number) change(frame);
  };
  return script;
}

Script ChangeParts(uint64_t number, std::function<void(ExchangeFrame& frame)> change) {
  return ChangeFrame(number, [=](std::string& bytes) {
    ExchangeFrame frame;
    if (!frame.ParseFromString(bytes)) return;
    change(frame);
    bytes = frame.SerializeAsString();
  });
}

void Flip(std::string* text, int at) {
  const size_t place = at >= 0 ? static_cast<size_t>(at) : text->size() - static_cast<size_t>(-at);
  (*text)[place] = static_cast<char>((*text)[place] ^ 1);
}

AttachResponse Posted(uint64_t number) {
  AttachResponse response;
  response.mutable_posted()->set_number(number);
  return response;
}

AttachResponse MessageOf(uint64_t number, std::string frame) {
  AttachResponse response;
  response.mutable_message()->set_number(number);
  response.mutable_message()->set_frame(std::move(frame));
  return response;
}

AttachResponse Beat() {
  AttachResponse response;
  response.mutable_heartbeat();
  return response;
}

AttachResponse DrainingAfter(int64_t milliseconds) {
  AttachResponse response;
  google::protobuf::Duration& delay = *response.mutable_draining()->mutable_reconnect_delay();
  delay.set_seconds(milliseconds / 1000);
  delay.set_nanos(static_cast<int32_t>(milliseconds % 1000 * 1'000'000));
  return response;
}

}  // namespace wormhole::conformance
