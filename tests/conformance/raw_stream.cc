#include "tests/conformance/raw_stream.h"

#include <utility>

namespace wormhole::conformance {

RawStream::RawStream(const std::shared_ptr<grpc::Channel>& channel, std::chrono::seconds patience)
    : stub_(rendezvous::v1::RendezvousService::NewStub(channel)) {
  context_.set_deadline(std::chrono::system_clock::now() + patience);
  stream_ = stub_->Attach(&context_);
}

RawStream::~RawStream() {
  if (status_) return;
  context_.TryCancel();
  Finish();
}

bool RawStream::Send(const AttachRequest& request) { return stream_->Write(request); }

std::optional<AttachResponse> RawStream::Receive() {
  AttachResponse response;
  if (status_ || !stream_->Read(&response)) return std::nullopt;
  return response;
}

grpc::Status RawStream::Finish() {
  if (status_) return *status_;
  while (Receive()) {
  }
  status_ = stream_->Finish();
  return *status_;
}

std::shared_ptr<grpc::Channel> ConnectTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

AttachRequest OpenOf(const std::string& app_id, const std::string& token, uint64_t cursor) {
  AttachRequest request;
  request.mutable_open()->set_app_id(app_id);
  request.mutable_open()->set_token(token);
  request.mutable_open()->set_cursor(cursor);
  return request;
}

AttachRequest Allocate(const std::string& app_id, const std::string& token, uint32_t id) {
  AttachRequest request = OpenOf(app_id, token);
  request.mutable_open()->mutable_allocate()->set_channel_id(id);
  return request;
}

AttachRequest Claim(const std::string& app_id, const std::string& token, uint32_t id, bool wait) {
  AttachRequest request = OpenOf(app_id, token);
  request.mutable_open()->mutable_claim()->set_channel_id(id);
  request.mutable_open()->mutable_claim()->set_wait(wait);
  return request;
}

AttachRequest Resume(const std::string& app_id, const std::string& token, uint32_t id,
                     uint64_t cursor) {
  AttachRequest request = OpenOf(app_id, token, cursor);
  request.mutable_open()->mutable_resume()->set_channel_id(id);
  return request;
}

AttachRequest Post(uint64_t number, std::string frame) {
  AttachRequest request;
  request.mutable_post()->set_number(number);
  request.mutable_post()->set_frame(std::move(frame));
  return request;
}

AttachRequest Ack(uint64_t number) {
  AttachRequest request;
  request.mutable_ack()->set_number(number);
  return request;
}

AttachRequest CloseIn(rendezvous::v1::Mood mood) {
  AttachRequest request;
  request.mutable_close()->set_mood(mood);
  return request;
}

}  // namespace wormhole::conformance
