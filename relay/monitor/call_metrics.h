// The metrics of gRPC calls, named and labelled as go-grpc-prometheus does it, so that dashboards
// for gRPC servers work here too.
//
// Only methods that some server of this relay has get series: otherwise a client that makes names
// up would make series.
#ifndef WORMHOLE_RELAY_MONITOR_CALL_METRICS_H_
#define WORMHOLE_RELAY_MONITOR_CALL_METRICS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/server_interceptor.h"
#include "grpcpp/support/status_code_enum.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace wormhole::relay {

// The families, each with one series for a method, or for a method and a code.
struct CallFamilies {
  explicit CallFamilies(prometheus::Registry& registry);

  prometheus::Family<prometheus::Counter>& started;
  prometheus::Family<prometheus::Counter>& handled;
  prometheus::Family<prometheus::Counter>& received;
  prometheus::Family<prometheus::Counter>& sent;
  prometheus::Family<prometheus::Histogram>& seconds;
};

// The counts of one method. Thread-safe; each call but Handled is one atomic addition.
class MethodMetrics {
 public:
  // `families` outlives this.
  MethodMetrics(CallFamilies& families, const google::protobuf::MethodDescriptor& method);

  void Started() { started_.Increment(); }
  void Received() { received_.Increment(); }
  void Sent() { sent_.Increment(); }
  // The call is over. `code` is that of the status which the client got, or would have got.
  void Handled(grpc::StatusCode code, absl::Duration took);

 private:
  const prometheus::Labels labels_;
  CallFamilies& families_;
  prometheus::Counter& started_;
  prometheus::Counter& received_;
  prometheus::Counter& sent_;
  prometheus::Histogram& seconds_;
};

class CallMetrics {
 public:
  using InterceptorFactory = grpc::experimental::ServerInterceptorFactoryInterface;
  // `registry` outlives this.
  explicit CallMetrics(prometheus::Registry& registry);

  // Counts the calls of the server that it is given to, except those of Attach: gRPC sends every
  // message of an intercepted call through its completion queue once more, which is nothing for a
  // health check and too much for a frame. This outlives the server.
  std::unique_ptr<InterceptorFactory> Counter();

  // The caller counts its streams itself, through StreamObserver.
  MethodMetrics& attach() { return *attach_; }

  // `name` as gRPC writes it, /PACKAGE.SERVICE/METHOD. Null when it is not counted by Watch.
  MethodMetrics* Find(std::string_view name);

 private:
  CallFamilies families_;
  std::map<std::string, MethodMetrics, std::less<>> methods_;  // filled by the constructor
  MethodMetrics* attach_ = nullptr;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_CALL_METRICS_H_
