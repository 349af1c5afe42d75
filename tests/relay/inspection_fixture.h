// A relay in the test's process with an admin port, and a client of its InspectionService.
#ifndef WORMHOLE_TESTS_RELAY_INSPECTION_FIXTURE_H_
#define WORMHOLE_TESTS_RELAY_INSPECTION_FIXTURE_H_

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/relay/relay_server_fixture.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"

namespace wormhole::service_test {

// What AttachClient allocates in.
inline constexpr char kApp[] = "example.com/test";

// One WatchEvents stream.
class EventClient {
 public:
  explicit EventClient(rendezvous::v1::InspectionService::Stub& stub,
                       const std::string& app_id = "") {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    rendezvous::v1::WatchEventsRequest request;
    request.set_app_id(app_id);
    reader_ = stub.WatchEvents(&context_, request);
  }
  ~EventClient() {
    context_.TryCancel();
    Finish();
  }

  // Whether it is watching: the first response has come.
  bool Begin() {
    rendezvous::v1::WatchEventsResponse response;
    return reader_->Read(&response) && response.has_watching_since();
  }
  bool Read(rendezvous::v1::WatchEventsResponse& response) { return reader_->Read(&response); }
  // The next event; an empty one when the stream is over.
  rendezvous::v1::Event Next() {
    rendezvous::v1::WatchEventsResponse response;
    reader_->Read(&response);
    return std::move(*response.mutable_event());
  }
  grpc::Status Finish() {
    if (reader_ == nullptr) return grpc::Status::OK;
    for (rendezvous::v1::WatchEventsResponse rest; reader_->Read(&rest);) {
    }
    grpc::Status status = reader_->Finish();
    reader_ = nullptr;
    return status;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<rendezvous::v1::WatchEventsResponse>> reader_;
};

class InspectionClient {
 public:
  explicit InspectionClient(const std::string& address)
      : stub_(rendezvous::v1::InspectionService::NewStub(Connect(address))) {}

  rendezvous::v1::InspectionService::Stub& stub() { return *stub_; }

  rendezvous::v1::GetRelayResponse GetRelay() {
    rendezvous::v1::GetRelayResponse response;
    const grpc::Status status = Call([&](grpc::ClientContext* context) {
      return stub_->GetRelay(context, rendezvous::v1::GetRelayRequest(), &response);
    });
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status List(const rendezvous::v1::ListAppsRequest& request,
                    rendezvous::v1::ListAppsResponse& response) {
    return Call([&](auto* context) { return stub_->ListApps(context, request, &response); });
  }
  grpc::Status List(const rendezvous::v1::ListChannelsRequest& request,
                    rendezvous::v1::ListChannelsResponse& response) {
    return Call([&](auto* context) { return stub_->ListChannels(context, request, &response); });
  }
  // All channels of one page.
  std::vector<rendezvous::v1::Channel> Channels(const std::string& app_id = "") {
    rendezvous::v1::ListChannelsRequest request;
    rendezvous::v1::ListChannelsResponse response;
    request.set_app_id(app_id);
    const grpc::Status status = List(request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return {response.channels().begin(), response.channels().end()};
  }
  // The loudest first.
  std::vector<rendezvous::v1::ClientNetwork> Networks(uint32_t limit = 0) {
    rendezvous::v1::ListNetworksRequest request;
    rendezvous::v1::ListNetworksResponse response;
    request.set_limit(limit);
    const grpc::Status status =
        Call([&](auto* context) { return stub_->ListNetworks(context, request, &response); });
    EXPECT_TRUE(status.ok()) << status.error_message();
    return {response.networks().begin(), response.networks().end()};
  }

 private:
  template <typename Method>
  static grpc::Status Call(Method method) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    // gRPC 1.51's first attempt to connect fails now and then when several threads connect at once.
    context.set_wait_for_ready(true);
    return method(&context);
  }

  const std::unique_ptr<rendezvous::v1::InspectionService::Stub> stub_;
};

// The field that a refusal names.
inline std::string FieldOf(const grpc::Status& status) {
  const absl::Status read =
      error::FromWire(status.error_code(), status.error_message(), status.error_details());
  const auto detail = error::DetailOf(read);
  return detail ? detail->field() : "";
}

class InspectionTest : public RelayServerTest {
 protected:
  InspectionTest() { config_.admin_listen = "127.0.0.1:0"; }

  void Inspect() { inspection_ = std::make_unique<InspectionClient>(server_->admin_address()); }

  std::unique_ptr<InspectionClient> inspection_;
};

}  // namespace wormhole::service_test

#endif  // WORMHOLE_TESTS_RELAY_INSPECTION_FIXTURE_H_
