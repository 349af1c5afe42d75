#include "tests/support/attach_client.h"

#include <utility>

#include "proto/error/error_detail.h"

namespace wormhole::service_test {

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

AttachClient::AttachClient(const std::shared_ptr<grpc::Channel>& channel,
                           const std::map<std::string, std::string>& headers,
                           std::chrono::seconds patience)
    : stub_(rendezvous::v1::RendezvousService::NewStub(channel)) {
  context_.set_deadline(std::chrono::system_clock::now() + patience);
  context_.set_wait_for_ready(true);
  for (const auto& [name, value] : headers) context_.AddMetadata(name, value);
  stream_ = stub_->Attach(&context_);
}

AttachClient::~AttachClient() {
  Cancel();
  Finish().IgnoreError();
}

bool AttachClient::Send(const AttachRequest& request) { return stream_->Write(request); }

std::optional<AttachResponse> AttachClient::Receive() {
  AttachResponse response;
  if (!stream_->Read(&response)) return std::nullopt;
  return response;
}

std::optional<AttachResponse> AttachClient::ReceiveNews() {
  while (std::optional<AttachResponse> response = Receive()) {
    if (!response->has_heartbeat() && !response->has_peer_status()) return response;
  }
  return std::nullopt;
}

void AttachClient::HalfClose() { stream_->WritesDone(); }

absl::Status AttachClient::Finish() {
  if (status_) return *status_;
  while (Receive()) {
  }
  const grpc::Status status = stream_->Finish();
  status_ = error::FromWire(static_cast<int>(status.error_code()), status.error_message(),
                            status.error_details());
  return *status_;
}

namespace {

AttachRequest Open(char token, uint64_t cursor) {
  AttachRequest request;
  request.mutable_open()->set_app_id("example.com/test");
  request.mutable_open()->set_token(std::string(32, token));
  request.mutable_open()->set_cursor(cursor);
  return request;
}

}  // namespace

AttachRequest OpenAllocate(char token, uint32_t id, uint64_t cursor) {
  AttachRequest request = Open(token, cursor);
  request.mutable_open()->mutable_allocate()->set_channel_id(id);
  return request;
}

AttachRequest OpenClaim(char token, uint32_t id, bool wait) {
  AttachRequest request = Open(token, 0);
  request.mutable_open()->mutable_claim()->set_channel_id(id);
  request.mutable_open()->mutable_claim()->set_wait(wait);
  return request;
}

AttachRequest OpenResume(char token, uint32_t id, uint64_t cursor) {
  AttachRequest request = Open(token, cursor);
  request.mutable_open()->mutable_resume()->set_channel_id(id);
  return request;
}

AttachRequest Post(uint64_t number, std::string_view frame) {
  AttachRequest request;
  request.mutable_post()->set_number(number);
  request.mutable_post()->set_frame(std::string(frame));
  return request;
}

AttachRequest Ack(uint64_t number) {
  AttachRequest request;
  request.mutable_ack()->set_number(number);
  return request;
}

AttachRequest Beat() {
  AttachRequest request;
  request.mutable_heartbeat();
  return request;
}

AttachRequest Close(rendezvous::v1::Mood mood) {
  AttachRequest request;
  request.mutable_close()->set_mood(mood);
  return request;
}

}  // namespace wormhole::service_test
