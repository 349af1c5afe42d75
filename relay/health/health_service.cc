#include "relay/health/health_service.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/grpc/grpc_status.h"
#include "relay/grpc/start_loop.h"

namespace wormhole::relay {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {

HealthCheckResponse::ServingStatus StatusOf(const std::function<bool()>* serving) {
  if (serving == nullptr) return HealthCheckResponse::SERVICE_UNKNOWN;
  return (*serving)() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

absl::Duration Now() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

grpc::Status Stopping() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the relay is stopping");
}

HealthCheckResponse ResponseOf(HealthCheckResponse::ServingStatus status) {
  HealthCheckResponse response;
  response.set_status(status);
  return response;
}

}  // namespace

// One call: reads its request, then writes the latest status that differs from the last one
// written, also before it ends.
class HealthService::Call final : public StreamReactor, public std::enable_shared_from_this<Call> {
 public:
  // The places are null where nobody counts. At `late_at` it is too late to ask.
  Call(HealthService* service, Method method, grpc::CallbackServerContext* context,
       absl::Duration late_at, std::unique_ptr<CallGate::Place> place,
       std::unique_ptr<CallLimit::Place> among_all)
      : service_(service),
        method_(method),
        context_(context),
        late_at_(late_at),
        place_(std::move(place)),
        among_all_(std::move(among_all)) {}

  Method method() const { return method_; }

  // These three note what to do. Flush starts it.

  // `serving` is the function of the service that the client asks for, null when the relay has no
  // such service. The call keeps no name: a client chooses its length.
  void Ask(const std::function<bool()>* serving) {
    sync::MutexLock lock(mutex_);
    asked_ = true;
    serving_ = serving;
  }

  // Reads the status, if the client has asked. Ends the call if the client has not asked for too
  // long, or does not read the last answer.
  void Refresh(absl::Duration now) {
    sync::MutexLock lock(mutex_);
    if (ending_) {
      cancel_wanted_ = writing_ && now >= late_at_;
    } else if (asked_) {
      wanted_ = StatusOf(serving_);
    } else if (now >= late_at_) {
      ending_ = grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "the request has not come");
    }
  }

  void End(grpc::Status status) {
    sync::MutexLock lock(mutex_);
    if (!ending_) ending_ = std::move(status);
  }

  void Flush() {
    const auto next = [this] {
      mutex_.AssumeHeld();
      return NextAction();
    };
    start_loop_.Run(shared_from_this(), next, [this](Action action) { Start(action); });
  }

  void OnReadDone(bool ok) override {
    HealthCheckRequest request;
    if (!ok) {
      End(grpc::Status::CANCELLED);
    } else if (!ParseFrom(read_, request)) {
      End(NoSuchRequest());
    } else {
      service_->Answer(*this, request.service());
    }
    Flush();
  }

  void OnWriteDone(bool ok) override {
    {
      sync::MutexLock lock(mutex_);
      writing_ = false;
      if (!ok && !ending_) ending_ = grpc::Status::CANCELLED;
    }
    Flush();
  }

  void OnCancel() override {
    End(grpc::Status::CANCELLED);
    Flush();
  }

  void OnDone() override {
    if (!asked()) {
      if (place_ != nullptr) place_->NoteAbandoned();
      if (among_all_ != nullptr) among_all_->NoteAbandoned();
    }
    among_all_.reset();
    service_->Forget(shared_from_this());
  }

 private:
  enum class Action { kRead, kWrite, kCancel, kFinish };

  bool asked() {
    sync::MutexLock lock(mutex_);
    return asked_;
  }

  // What to start next; marks it as started.
  std::optional<Action> NextAction() WORMHOLE_REQUIRES(mutex_) {
    if (finished_) return std::nullopt;
    if (cancel_wanted_ && !std::exchange(cancelled_, true)) return Action::kCancel;
    if (writing_) return std::nullopt;
    if (wanted_ != shown_) {
      shown_ = wanted_;
      written_ = BytesOf(ResponseOf(*shown_));
      writing_ = true;
      return Action::kWrite;
    }
    if (ending_) {
      finished_ = true;
      final_ = *ending_;
      return Action::kFinish;
    }
    if (!std::exchange(reading_, true)) return Action::kRead;
    return std::nullopt;
  }

  void Start(Action action) WORMHOLE_EXCLUDES(mutex_) {
    switch (action) {
      case Action::kRead:
        return StartRead(&read_);
      case Action::kWrite:
        return StartWrite(&written_);
      case Action::kCancel:
        return context_->TryCancel();
      case Action::kFinish:
        return Finish(final_);
    }
  }

  HealthService* const service_;
  const Method method_;
  grpc::CallbackServerContext* const context_;  // gRPC's until OnDone
  const absl::Duration late_at_;
  const std::unique_ptr<CallGate::Place> place_;
  std::unique_ptr<CallLimit::Place> among_all_;  // until the call is over
  grpc::ByteBuffer read_;                        // gRPC's from StartRead until OnReadDone
  grpc::ByteBuffer
      written_;  // of the thread in the StartLoop until StartWrite, then of gRPC until OnWriteDone
  grpc::Status final_;

  sync::Mutex mutex_;
  StartLoop start_loop_{mutex_};
  bool reading_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool asked_ WORMHOLE_GUARDED_BY(mutex_) = false;
  const std::function<bool()>* serving_ WORMHOLE_GUARDED_BY(mutex_) = nullptr;
  std::optional<HealthCheckResponse::ServingStatus> wanted_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<HealthCheckResponse::ServingStatus> shown_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<grpc::Status> ending_ WORMHOLE_GUARDED_BY(mutex_);
  bool writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool cancel_wanted_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool cancelled_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool finished_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

HealthService::HealthService(Services services, CallGate* gate, CallLimit* at_once,
                             absl::Duration patience)
    : services_(std::move(services)), gate_(gate), at_once_(at_once), patience_(patience) {
  for (const Method method : {Method::kCheck, Method::kWatch}) {
    ServeAsStream(static_cast<int>(method), [this, method](grpc::CallbackServerContext* context) {
      return Begin(method, context);
    });
  }
}

void HealthService::Refresh() {
  std::set<std::shared_ptr<Call>> calls;
  {
    sync::MutexLock lock(mutex_);
    const absl::Duration now = Now();
    for (const auto& call : calls_) call->Refresh(now);
    calls = calls_;
  }
  for (const auto& call : calls) call->Flush();
}

void HealthService::EndWatches() {
  std::vector<std::shared_ptr<Call>> watches;
  {
    sync::MutexLock lock(mutex_);
    watches_over_ = true;
    for (const auto& call : calls_) {
      if (call->method() == Method::kWatch) watches.push_back(call);
    }
  }
  for (const auto& watch : watches) {
    watch->End(Stopping());
    watch->Flush();
  }
}

StreamReactor* HealthService::Begin(Method method, grpc::CallbackServerContext* context) {
  absl::StatusOr<std::unique_ptr<CallGate::Place>> place = nullptr;
  if (gate_ != nullptr) {
    place = gate_->Enter(*context,
                         method == Method::kWatch ? CallGate::Stay::kLong : CallGate::Stay::kBrief);
  }
  const absl::Status refused = place.ok() ? absl::OkStatus() : place.status();
  auto call = std::make_shared<Call>(
      this, method, context, Now() + patience_, refused.ok() ? *std::move(place) : nullptr,
      at_once_ != nullptr ? at_once_->Enter(*context, Now()) : nullptr);
  bool over = false;
  {
    sync::MutexLock lock(mutex_);
    calls_.insert(call);
    over = watches_over_ && method == Method::kWatch;
  }
  if (!refused.ok()) call->End(ToGrpcStatus(refused));
  if (over) call->End(Stopping());
  call->Flush();
  return call.get();
}

void HealthService::Answer(Call& call, const std::string& name) {
  const auto found = services_.find(name);
  const std::function<bool()>* const serving = found == services_.end() ? nullptr : &found->second;
  const bool checks = call.method() == Method::kCheck;
  sync::MutexLock lock(mutex_);
  call.Ask(serving);
  if (checks && serving == nullptr) {
    return call.End(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service here"));
  }
  call.Refresh(Now());
  if (checks) call.End(grpc::Status::OK);
}

void HealthService::Forget(const std::shared_ptr<Call>& call) {
  sync::MutexLock lock(mutex_);
  calls_.erase(call);
}

}  // namespace wormhole::relay
