// A program with code of its own that protoc made from the library's .proto files, with
// descriptors: an operator's tool over InspectionService, which also makes an exchange
// (exchange.cc, whose main is called RunExchange here).
#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "google/protobuf/descriptor.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

int RunExchange();

namespace {

namespace v1 = wormhole::rendezvous::v1;

// Both the descriptors and the wire work: none of the library's own messages stands in for these.
bool OwnMessagesWork() {
  const google::protobuf::FileDescriptor* file =
      google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
          "wormhole/rendezvous/v1/rendezvous.proto");
  v1::AttachRequest message;
  message.mutable_post()->set_number(7);
  v1::AttachRequest copy;
  return file != nullptr && copy.ParseFromString(message.SerializeAsString()) &&
         copy.post().number() == 7 && copy.GetDescriptor()->file() == file &&
         copy.DebugString().find("number: 7") != std::string::npos;
}

bool RelayAnswers(const std::string& address) {
  const std::unique_ptr<v1::InspectionService::Stub> stub = v1::InspectionService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::GetRelayResponse relay;
  const grpc::Status status = stub->GetRelay(&context, v1::GetRelayRequest(), &relay);
  std::cout << "relay " << (status.ok() ? relay.version() : status.error_message()) << std::endl;
  return status.ok() && !relay.version().empty();
}

}  // namespace

int main() {
  const std::string admin = std::getenv("WORMHOLE_ADMIN");
  for (int i = 0; i < 2; ++i) {
    if (!OwnMessagesWork() || !RelayAnswers(admin)) return 1;
    if (const int status = RunExchange(); status != 0) return status;
  }
  return 0;
}
