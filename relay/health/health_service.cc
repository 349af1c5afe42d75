#include "relay/health/health_service.h"

#include <optional>
#include <utility>
#include <vector>

#include "relay/grpc/start_loop.h"

namespace wormhole::relay {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {

HealthCheckResponse::ServingStatus StatusOf(const std::function<bool()>* serving) {
  if (serving == nullptr) return HealthCheckResponse::SERVICE_UNKNOWN;
  return (*serving)() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

grpc::Status Stopping() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the relay is stopping");
}

}  // namespace

// One Watch. Writes the latest status that differs from the last one written, also before it ends.
class HealthService::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse>,
                                     public std::enable_shared_from_this<Watcher> {
 public:
  // `serving` is the function of the watched service, null when the relay has no such service. The
  // watcher keeps no name: a client chooses its length.
  Watcher(HealthService* service, const std::function<bool()>* serving)
      : service_(service), serving_(serving) {}

  // Look notes the status to write, End how the stream ends. Flush starts both.
  void Look() {
    const ServingStatus status = StatusOf(serving_);
    sync::MutexLock lock(mutex_);
    wanted_ = status;
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

  void OnDone() override { service_->Forget(shared_from_this()); }

 private:
  enum class Action { kWrite, kFinish };

  // What to start next; marks it as started.
  std::optional<Action> NextAction() WORMHOLE_REQUIRES(mutex_) {
    if (finished_ || writing_) return std::nullopt;
    if (wanted_ != shown_) {
      shown_ = wanted_;
      response_.set_status(*shown_);
      writing_ = true;
      return Action::kWrite;
    }
    if (ending_) {
      finished_ = true;
      final_ = *ending_;
      return Action::kFinish;
    }
    return std::nullopt;
  }

  void Start(Action action) WORMHOLE_EXCLUDES(mutex_) {
    if (action == Action::kWrite) {
      StartWrite(&response_);
    } else {
      Finish(final_);
    }
  }

  HealthService* const service_;
  const std::function<bool()>* const serving_;
  HealthCheckResponse
      response_;  // of the thread in the StartLoop until StartWrite, then of gRPC until OnWriteDone
  grpc::Status final_;

  sync::Mutex mutex_;
  StartLoop start_loop_{mutex_};
  std::optional<HealthCheckResponse::ServingStatus> wanted_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<HealthCheckResponse::ServingStatus> shown_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<grpc::Status> ending_ WORMHOLE_GUARDED_BY(mutex_);
  bool writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool finished_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

const std::function<bool()>* HealthService::Find(const std::string& service) const {
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : &found->second;
}

void HealthService::Refresh() {
  std::set<std::shared_ptr<Watcher>> watchers;
  {
    sync::MutexLock lock(mutex_);
    for (const auto& watcher : watchers_) watcher->Look();
    watchers = watchers_;
  }
  for (const auto& watcher : watchers) watcher->Flush();
}

void HealthService::EndWatches() {
  std::set<std::shared_ptr<Watcher>> watchers;
  {
    sync::MutexLock lock(mutex_);
    watches_over_ = true;
    for (const auto& watcher : watchers_) watcher->End(Stopping());
    watchers = watchers_;
  }
  for (const auto& watcher : watchers) watcher->Flush();
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  const ServingStatus status = StatusOf(Find(request->service()));
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    reactor->Finish(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service here"));
  } else {
    response->set_status(status);
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext*, const HealthCheckRequest* request) {
  auto watcher = std::make_shared<Watcher>(this, Find(request->service()));
  {
    sync::MutexLock lock(mutex_);
    watchers_.insert(watcher);
    watcher->Look();
    if (watches_over_) watcher->End(Stopping());
  }
  watcher->Flush();
  return watcher.get();
}

void HealthService::Forget(const std::shared_ptr<Watcher>& watcher) {
  sync::MutexLock lock(mutex_);
  watchers_.erase(watcher);
}

}  // namespace wormhole::relay
