#include "relay/reflection/reflection_service.h"

#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "relay/grpc/grpc_status.h"

namespace wormhole::relay {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// By their files, which the linker would otherwise leave out where nothing else needs them.
std::vector<std::string> AndItself(std::vector<std::string> services) {
  for (const auto* const file :
       {grpc::reflection::v1::ServerReflectionRequest::descriptor()->file(),
        grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()->file()}) {
    services.push_back(file->service(0)->full_name());
  }
  return services;
}

}  // namespace

// Reads a question, writes its answer, and so on: one thing at a time, each started by what ends
// the one before, so that nothing of it needs a lock.
class ReflectionService::Call final : public StreamReactor {
 public:
  Call(const ReflectionService* service, grpc::CallbackServerContext* context,
       std::unique_ptr<CallLimit::Place> place)
      : service_(service), context_(context), place_(std::move(place)) {
    StartRead(&read_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);  // it has asked for all that it wants, or has gone
    ServerReflectionRequest request;
    if (!ParseFrom(read_, request)) return Finish(NoSuchRequest());
    read_.Clear();
    if (CallGate* const gate = service_->gate_; std::exchange(asked_, true) && gate != nullptr) {
      const absl::Status passes = gate->Pass(gate->ClientOf(*context_));
      if (!passes.ok()) return Finish(ToGrpcStatus(passes));
    }
    written_ = BytesOf(service_->answers_.Answer(request));
    StartWrite(&written_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    written_.Clear();
    StartRead(&read_);
  }

  void OnDone() override {
    if (!asked_) place_->NoteAbandoned();
    delete this;
  }

 private:
  const ReflectionService* const service_;
  grpc::CallbackServerContext* const context_;  // gRPC's until OnDone
  const std::unique_ptr<CallLimit::Place> place_;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  bool asked_ = false;
};

ReflectionService::ReflectionService(std::vector<std::string> services, CallGate* gate)
    : answers_(AndItself(std::move(services))),
      gate_(gate),
      streams_(kMaxStreams, kLongest, gate) {}

void ReflectionService::CutLate() { streams_.CutLate(SteadyNow()); }

void ReflectionService::End() { streams_.CutAll(); }

StreamReactor* ReflectionService::Begin(grpc::CallbackServerContext* context) {
  return new Call(this, context, streams_.Enter(*context, SteadyNow()));
}

}  // namespace wormhole::relay
