#include "relay/monitor/call_metrics.h"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::relay {
namespace {

namespace experimental = grpc::experimental;

// What a relay may serve. The constructor leaves out what this program does not link.
constexpr const char* kServices[] = {
    rendezvous::v1::RendezvousService::service_full_name(),
    rendezvous::v1::InspectionService::service_full_name(),
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "grpc.channelz.v1.Channelz",
};
constexpr char kAttach[] = "Attach";

// Seconds. A unary call takes about one millisecond, a stream may wait for a day.
const prometheus::Histogram::BucketBoundaries kHandlingSeconds = {
    0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600};

const char* TypeOf(const google::protobuf::MethodDescriptor& method) {
  if (method.client_streaming()) return method.server_streaming() ? "bidi_stream" : "client_stream";
  return method.server_streaming() ? "server_stream" : "unary";
}

// As Go's codes.Code prints itself.
const char* NameOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return "OK";
    case grpc::StatusCode::CANCELLED:
      return "Canceled";
    case grpc::StatusCode::INVALID_ARGUMENT:
      return "InvalidArgument";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DeadlineExceeded";
    case grpc::StatusCode::NOT_FOUND:
      return "NotFound";
    case grpc::StatusCode::ALREADY_EXISTS:
      return "AlreadyExists";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "PermissionDenied";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "ResourceExhausted";
    case grpc::StatusCode::FAILED_PRECONDITION:
      return "FailedPrecondition";
    case grpc::StatusCode::ABORTED:
      return "Aborted";
    case grpc::StatusCode::OUT_OF_RANGE:
      return "OutOfRange";
    case grpc::StatusCode::UNIMPLEMENTED:
      return "Unimplemented";
    case grpc::StatusCode::INTERNAL:
      return "Internal";
    case grpc::StatusCode::UNAVAILABLE:
      return "Unavailable";
    case grpc::StatusCode::DATA_LOSS:
      return "DataLoss";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "Unauthenticated";
    default:
      return "Unknown";
  }
}

// One call, from when gRPC accepts it until gRPC destroys it.
class CountedCall final : public experimental::Interceptor {
 public:
  explicit CountedCall(MethodMetrics* metrics) : metrics_(metrics) { metrics_->Started(); }

  ~CountedCall() override {
    metrics_->Handled(code_, absl::FromChrono(std::chrono::steady_clock::now() - began_));
  }

  void Intercept(experimental::InterceptorBatchMethods* methods) override {
    using Point = experimental::InterceptionHookPoints;
    // Null: no message has come, or gRPC could not parse it.
    if (methods->QueryInterceptionHookPoint(Point::POST_RECV_MESSAGE) &&
        methods->GetRecvMessage() != nullptr) {
      metrics_->Received();
    }
    if (methods->QueryInterceptionHookPoint(Point::POST_SEND_MESSAGE) &&
        methods->GetSendMessageStatus()) {
      metrics_->Sent();
    }
    if (methods->QueryInterceptionHookPoint(Point::PRE_SEND_STATUS)) {
      code_ = methods->GetSendStatus().error_code();
    }
    methods->Proceed();
  }

 private:
  MethodMetrics* const metrics_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;  // unless the call gets to a status
};

class CountedCalls final : public experimental::ServerInterceptorFactoryInterface {
 public:
  explicit CountedCalls(CallMetrics* metrics) : metrics_(metrics) {}

  // With null, gRPC does not intercept the call at all.
  experimental::Interceptor* CreateServerInterceptor(experimental::ServerRpcInfo* info) override {
    MethodMetrics* const method = metrics_->Find(info->method());
    return method == nullptr ? nullptr : new CountedCall(method);
  }

 private:
  CallMetrics* const metrics_;
};

}  // namespace

CallFamilies::CallFamilies(prometheus::Registry& registry)
    : started(prometheus::BuildCounter()
                  .Name("grpc_server_started_total")
                  .Help("Calls that have begun.")
                  .Register(registry)),
      handled(prometheus::BuildCounter()
                  .Name("grpc_server_handled_total")
                  .Help("Calls that are over, by the code of their status.")
                  .Register(registry)),
      received(prometheus::BuildCounter()
                   .Name("grpc_server_msg_received_total")
                   .Help("Messages that have come from clients.")
                   .Register(registry)),
      sent(prometheus::BuildCounter()
               .Name("grpc_server_msg_sent_total")
               .Help("Messages that were sent to clients.")
               .Register(registry)),
      seconds(prometheus::BuildHistogram()
                  .Name("grpc_server_handling_seconds")
                  .Help("How long calls have lasted that are over.")
                  .Register(registry)) {}

MethodMetrics::MethodMetrics(CallFamilies& families,
                             const google::protobuf::MethodDescriptor& method)
    : labels_({{"grpc_type", TypeOf(method)},
               {"grpc_service", method.service()->full_name()},
               {"grpc_method", method.name()}}),
      families_(families),
      started_(families.started.Add(labels_)),
      received_(families.received.Add(labels_)),
      sent_(families.sent.Add(labels_)),
      seconds_(families.seconds.Add(labels_, kHandlingSeconds)) {}

void MethodMetrics::Handled(grpc::StatusCode code, absl::Duration took) {
  prometheus::Labels labels = labels_;
  labels.emplace("grpc_code", NameOf(code));
  families_.handled.Add(labels).Increment();
  seconds_.Observe(absl::ToDoubleSeconds(took));
}

CallMetrics::CallMetrics(prometheus::Registry& registry) : families_(registry) {
  const google::protobuf::DescriptorPool* const pool =
      google::protobuf::DescriptorPool::generated_pool();
  for (const char* const name : kServices) {
    const google::protobuf::ServiceDescriptor* const service = pool->FindServiceByName(name);
    if (service == nullptr) continue;
    for (int i = 0; i < service->method_count(); ++i) {
      const google::protobuf::MethodDescriptor& method = *service->method(i);
      methods_.try_emplace(absl::StrCat("/", name, "/", method.name()), families_, method);
    }
  }
  const char* const rendezvous = rendezvous::v1::RendezvousService::service_full_name();
  attach_ = &methods_.find(absl::StrCat("/", rendezvous, "/", kAttach))->second;
}

MethodMetrics* CallMetrics::Find(std::string_view name) {
  const auto method = methods_.find(name);
  if (method == methods_.end() || &method->second == attach_) return nullptr;
  return &method->second;
}

std::unique_ptr<CallMetrics::InterceptorFactory> CallMetrics::Counter() {
  return std::make_unique<CountedCalls>(this);
}

}  // namespace wormhole::relay
