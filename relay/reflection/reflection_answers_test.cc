#include "relay/reflection/reflection_answers.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"
#include "wormhole/rendezvous/v1/inspection.pb.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

constexpr char kRendezvous[] = "wormhole.rendezvous.v1.RendezvousService";
constexpr char kRendezvousFile[] = "wormhole/rendezvous/v1/rendezvous.proto";

class ReflectionAnswersTest : public ::testing::Test {
 protected:
  // Both are linked into this test; the relay's public port has the first alone.
  ReflectionAnswersTest() {
    rendezvous::v1::GetRelayRequest::descriptor();
    grpc::health::v1::HealthCheckRequest::descriptor();
  }

  static std::vector<std::string> FilesOf(const ServerReflectionResponse& response) {
    std::vector<std::string> names;
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.push_back(file.name());
    }
    return names;
  }

  ServerReflectionResponse AskSymbol(const std::string& symbol) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(symbol);
    return answers_.Answer(request);
  }

  static void ExpectError(const ServerReflectionResponse& response, grpc::StatusCode code) {
    EXPECT_EQ(response.error_response().error_code(), code) << response.ShortDebugString();
    EXPECT_NE(response.error_response().error_message(), "");
  }

  ReflectionAnswers answers_{{kRendezvous, "nobody.knows.Service"}};
};

TEST_F(ReflectionAnswersTest, ListsTheServices) {
  ServerReflectionRequest request;
  request.set_host("somewhere");
  request.set_list_services("");
  const ServerReflectionResponse response = answers_.Answer(request);
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, ElementsAre(kRendezvous, "nobody.knows.Service"));
  EXPECT_EQ(response.valid_host(), "somewhere");
  EXPECT_EQ(response.original_request().host(), "somewhere");
}

TEST_F(ReflectionAnswersTest, TellsAFileWithWhatItImports) {
  const auto all = UnorderedElementsAre(kRendezvousFile, "google/protobuf/duration.proto",
                                        "google/protobuf/timestamp.proto");
  for (const char* symbol : {kRendezvous, "wormhole.rendezvous.v1.RendezvousService.Attach",
                             "wormhole.rendezvous.v1.AttachRequest"}) {
    const std::vector<std::string> files = FilesOf(AskSymbol(symbol));
    EXPECT_THAT(files, all) << symbol;
    EXPECT_EQ(files.front(), kRendezvousFile) << symbol;
  }
  ServerReflectionRequest request;
  request.set_file_by_filename(kRendezvousFile);
  EXPECT_THAT(FilesOf(answers_.Answer(request)), all);
}

TEST_F(ReflectionAnswersTest, WhatNoServiceHasIsNotTold) {
  ExpectError(AskSymbol("nobody.knows.Service"), grpc::StatusCode::NOT_FOUND);
  ExpectError(AskSymbol("wormhole.rendezvous.v1.InspectionService"), grpc::StatusCode::NOT_FOUND);
  ExpectError(AskSymbol("grpc.health.v1.Health"), grpc::StatusCode::NOT_FOUND);
  ServerReflectionRequest request;
  request.set_file_by_filename("wormhole/rendezvous/v1/inspection.proto");
  ExpectError(answers_.Answer(request), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ReflectionAnswersTest, ThereAreNoExtensions) {
  ServerReflectionRequest request;
  request.set_all_extension_numbers_of_type("wormhole.rendezvous.v1.AttachRequest");
  const ServerReflectionResponse response = answers_.Answer(request);
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(),
            "wormhole.rendezvous.v1.AttachRequest");
  EXPECT_EQ(response.all_extension_numbers_response().extension_number_size(), 0);
  request.set_all_extension_numbers_of_type("grpc.health.v1.HealthCheckRequest");
  ExpectError(answers_.Answer(request), grpc::StatusCode::NOT_FOUND);
  request.mutable_file_containing_extension()->set_containing_type(
      "wormhole.rendezvous.v1.AttachRequest");
  request.mutable_file_containing_extension()->set_extension_number(100);
  ExpectError(answers_.Answer(request), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ReflectionAnswersTest, AQuestionThatIsNone) {
  ExpectError(answers_.Answer({}), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace wormhole::relay
