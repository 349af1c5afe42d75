#include "tests/support/reflection_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "tests/support/attach_client.h"

namespace wormhole::service_test {
namespace {

using google::protobuf::Message;
using grpc::reflection::v1alpha::ServerReflection;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

void SetPatience(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
}

grpc::ByteBuffer Pack(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Unpack(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return "";
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// One call of any kind with one request; blocks. Reads at most `most` responses.
class RawCall {
 public:
  RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
    SetPatience(context_);
    stub_ = std::make_unique<grpc::GenericStub>(channel);
    stream_ = stub_->PrepareCall(&context_, method, &queue_);
    stream_->StartCall(Tag());
    Await();
  }
  ~RawCall() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  bool Send(const std::string& request) {
    stream_->WriteLast(Pack(request), grpc::WriteOptions(), Tag());
    return Await();
  }
  bool Read(std::string& response) {
    grpc::ByteBuffer buffer;
    stream_->Read(&buffer, Tag());
    if (!Await()) return false;
    response = Unpack(buffer);
    return true;
  }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, Tag());
    Await();
    return status;
  }

 private:
  void* Tag() { return this; }
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericStub> stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

}  // namespace

ReflectionClient::ReflectionClient(const std::string& address) : channel_(Connect(address)) {}

absl::StatusOr<ServerReflectionResponse> ReflectionClient::Ask(
    const ServerReflectionRequest& request) {
  const auto stub = ServerReflection::NewStub(channel_);
  grpc::ClientContext context;
  SetPatience(context);
  const auto stream = stub->ServerReflectionInfo(&context);
  stream->Write(request);
  stream->WritesDone();
  ServerReflectionResponse response;
  stream->Read(&response);
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::StatusOr<std::vector<std::string>> ReflectionClient::ListServices() {
  ServerReflectionRequest request;
  request.set_list_services("");
  const absl::StatusOr<ServerReflectionResponse> response = Ask(request);
  if (!response.ok()) return response.status();
  std::vector<std::string> names;
  for (const auto& service : response->list_services_response().service()) {
    names.push_back(service.name());
  }
  std::ranges::sort(names);
  return names;
}

const google::protobuf::ServiceDescriptor* ReflectionClient::FindService(
    const std::string& symbol) {
  if (const auto* known = pool_.FindServiceByName(symbol)) return known;
  ServerReflectionRequest request;
  request.set_file_containing_symbol(symbol);
  const absl::StatusOr<ServerReflectionResponse> response = Ask(request);
  if (!response.ok()) return nullptr;
  for (const std::string& file : response->file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto parsed;
    if (!parsed.ParseFromString(file)) return nullptr;
    google::protobuf::FileDescriptorProto known;
    if (!files_.FindFileByName(parsed.name(), &known)) files_.Add(parsed);
  }
  return pool_.FindServiceByName(symbol);
}

absl::StatusOr<std::vector<std::string>> ReflectionClient::Call(const std::string& service,
                                                                const std::string& method,
                                                                const std::string& request,
                                                                size_t responses) {
  const auto* found = FindService(service);
  const auto* called = found == nullptr ? nullptr : found->FindMethodByName(method);
  if (called == nullptr) return absl::NotFoundError(service + "/" + method);
  const std::unique_ptr<Message> input(messages_.GetPrototype(called->input_type())->New());
  const auto parsed = google::protobuf::util::JsonStringToMessage(request, input.get());
  if (!parsed.ok()) return absl::InvalidArgumentError(parsed.ToString());
  RawCall call(channel_, "/" + service + "/" + method);
  call.Send(input->SerializeAsString());
  std::vector<std::string> shown;
  for (std::string bytes; shown.size() < responses && call.Read(bytes);) {
    const std::unique_ptr<Message> output(messages_.GetPrototype(called->output_type())->New());
    if (!output->ParseFromString(bytes)) return absl::DataLossError("not of the type described");
    shown.emplace_back();
    const auto printed = google::protobuf::util::MessageToJsonString(*output, &shown.back());
    if (!printed.ok()) return absl::DataLossError(printed.ToString());
  }
  if (called->server_streaming()) {
    call.Cancel();
    call.Finish();
    return shown;
  }
  const grpc::Status status = call.Finish();
  if (!status.ok()) return FromGrpc(status);
  return shown;
}

grpc::Status CallEmpty(const std::string& address, const std::string& method) {
  RawCall call(Connect(address), method);
  call.Send("");
  std::string response;
  // A stream that waits for more is answered as well.
  if (call.Read(response)) {
    call.Cancel();
    call.Finish();
    return grpc::Status::OK;
  }
  return call.Finish();
}

}  // namespace wormhole::service_test
