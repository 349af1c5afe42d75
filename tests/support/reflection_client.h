// A client that knows nothing but what server reflection tells it, as grpcurl does. Never in one
// process with a server that has reflection: see //proto:reflection_cc_proto.
#ifndef WORMHOLE_TESTS_SUPPORT_REFLECTION_CLIENT_H_
#define WORMHOLE_TESTS_SUPPORT_REFLECTION_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor_database.h"
#include "google/protobuf/dynamic_message.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/grpcpp.h"

namespace wormhole::service_test {

// One thread.
class ReflectionClient {
 public:
  explicit ReflectionClient(const std::string& address);

  // The names of the services, sorted.
  absl::StatusOr<std::vector<std::string>> ListServices();

  // Learns the file of `symbol` with those that it imports; null when the server does not tell it.
  const google::protobuf::ServiceDescriptor* FindService(const std::string& symbol);

  // Calls `service`/`method` with a request in JSON (unknown fields are errors) and returns the
  // responses, in JSON. Of a stream that does not end as many as `responses`, then it is cancelled.
  absl::StatusOr<std::vector<std::string>> Call(const std::string& service,
                                                const std::string& method,
                                                const std::string& request, size_t responses = 1);

 private:
  absl::StatusOr<grpc::reflection::v1alpha::ServerReflectionResponse> Ask(
      const grpc::reflection::v1alpha::ServerReflectionRequest& request);

  const std::shared_ptr<grpc::Channel> channel_;
  google::protobuf::SimpleDescriptorDatabase files_;
  google::protobuf::DescriptorPool pool_{&files_};
  google::protobuf::DynamicMessageFactory messages_{&pool_};
};

// How the server answers a call of `method` ("/package.Service/Method") with an empty request.
grpc::Status CallEmpty(const std::string& address, const std::string& method);

}  // namespace wormhole::service_test

#endif  // WORMHOLE_TESTS_SUPPORT_REFLECTION_CLIENT_H_
