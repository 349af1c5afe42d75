// Server reflection at the program's public port and at its admin port, in both versions.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "relay/reflection/reflection_service.h"
#include "tests/support/attach_client.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;
using testing::RelayProcess;
using V1 = grpc::reflection::v1::ServerReflection;

// One stream of v1.
class Stream {
 public:
  explicit Stream(const std::string& address) : stub_(V1::NewStub(Connect(address))) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    stream_ = stub_->ServerReflectionInfo(&context_);
  }
  ~Stream() {
    context_.TryCancel();
    if (!ended_) End();
  }

  // False when the stream has ended.
  bool Ask(const ServerReflectionRequest& request, ServerReflectionResponse* response) {
    return stream_->Write(request) && stream_->Read(response);
  }
  bool List() {
    ServerReflectionRequest request;
    request.set_list_services("");
    ServerReflectionResponse response;
    return Ask(request, &response);
  }
  void Done() { stream_->WritesDone(); }
  grpc::Status End() {
    ended_ = true;
    ServerReflectionResponse response;
    while (stream_->Read(&response)) {
    }
    return stream_->Finish();
  }

 private:
  const std::unique_ptr<V1::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<ServerReflectionRequest, ServerReflectionResponse>>
      stream_;
  bool ended_ = false;
};

template <typename Api, typename Request, typename Response>
std::vector<std::string> ListOf(const std::string& address) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  const auto stub = Api::NewStub(Connect(address));
  const auto stream = stub->ServerReflectionInfo(&context);
  Request request;
  request.set_list_services("");
  Response response;
  EXPECT_TRUE(stream->Write(request) && stream->Read(&response));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  std::vector<std::string> names;
  for (const auto& one : response.list_services_response().service()) names.push_back(one.name());
  return names;
}

class ReflectionTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> more = {}) {
    std::vector<std::string> flags = {"--listen=127.0.0.1:0", "--store=memory",
                                      "--admin-listen=127.0.0.1:0"};
    flags.insert(flags.end(), more.begin(), more.end());
    relay_ = std::make_unique<RelayProcess>(RelayProcess::Options{.flags = std::move(flags)});
    public_ = relay_->AwaitListening();
    admin_ = relay_->AwaitLine("admin on ");
    ASSERT_NE(admin_, "") << relay_->error();
  }

  void TearDown() override {
    relay_->Signal(SIGTERM);
    EXPECT_EQ(relay_->AwaitExit(), 0) << relay_->error();
  }

  std::unique_ptr<RelayProcess> relay_;
  std::string public_;
  std::string admin_;
};

TEST_F(ReflectionTest, BothVersionsListWhatEachPortHas) {
  Serve();
  const std::vector<std::string> everywhere = {"grpc.health.v1.Health",
                                               "grpc.reflection.v1.ServerReflection",
                                               "grpc.reflection.v1alpha.ServerReflection"};
  const std::string rendezvous = "wormhole.rendezvous.v1.RendezvousService";
  const std::string inspection = "wormhole.rendezvous.v1.InspectionService";
  const auto clients = ListOf<V1, ServerReflectionRequest, ServerReflectionResponse>(public_);
  EXPECT_THAT(clients, IsSupersetOf(everywhere));
  EXPECT_THAT(clients, Contains(rendezvous));
  EXPECT_THAT(clients, Not(Contains(inspection)));
  const auto operators = ListOf<grpc::reflection::v1alpha::ServerReflection,
                                grpc::reflection::v1alpha::ServerReflectionRequest,
                                grpc::reflection::v1alpha::ServerReflectionResponse>(admin_);
  EXPECT_THAT(operators, IsSupersetOf(everywhere));
  EXPECT_THAT(operators, Contains(inspection));
  EXPECT_THAT(operators, Not(Contains(rendezvous)));
}

TEST_F(ReflectionTest, WhatIsListedIsTold) {
  Serve({"--admin-channelz"});
  for (const std::string& address : {public_, admin_}) {
    Stream stream(address);
    for (const std::string& name :
         ListOf<V1, ServerReflectionRequest, ServerReflectionResponse>(address)) {
      ServerReflectionRequest request;
      request.set_file_containing_symbol(name);
      ServerReflectionResponse response;
      ASSERT_TRUE(stream.Ask(request, &response)) << name;
      EXPECT_GT(response.file_descriptor_response().file_descriptor_proto_size(), 0)
          << name << ": " << response.ShortDebugString();
    }
  }
}

TEST_F(ReflectionTest, AStreamHasManyQuestionsAndEndsWithItsClient) {
  Serve();
  Stream stream(public_);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(stream.List()) << i;
  stream.Done();
  EXPECT_TRUE(stream.End().ok());
}

TEST_F(ReflectionTest, TheOldestStreamGivesWay) {
  Serve();
  std::vector<std::unique_ptr<Stream>> streams;
  for (size_t i = 0; i <= relay::ReflectionService::kMaxStreams; ++i) {
    streams.push_back(std::make_unique<Stream>(public_));
    EXPECT_TRUE(streams.back()->List()) << i;
  }
  EXPECT_EQ(streams.front()->End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(streams[1]->List());
}

TEST_F(ReflectionTest, EachQuestionCountsForItsClient) {
  Serve({"--max-stream-opens-per-minute=60"});
  Stream stream(public_);
  int answers = 0;
  while (answers < 1000 && stream.List()) ++answers;
  EXPECT_GE(answers, 50);
  const grpc::Status end = stream.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << end.error_message();
}

TEST_F(ReflectionTest, MayBeSwitchedOffForClients) {
  Serve({"--reflection=false"});
  Stream stream(public_);
  EXPECT_FALSE(stream.List());
  EXPECT_EQ(stream.End().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  Stream operators(admin_);
  EXPECT_TRUE(operators.List());
}

}  // namespace
}  // namespace wormhole::service_test
