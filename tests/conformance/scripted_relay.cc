#include "tests/conformance/scripted_relay.h"

#include <cstdlib>
#include <deque>
#include <utility>

namespace wormhole::conformance {

// One stream. What is to be sent is noted under the lock and started without it: gRPC may run a
// reaction inside the call that starts an operation.
class ScriptedRelay::Reactor final : public grpc::ServerBidiReactor<AttachRequest, AttachResponse>,
                                     public std::enable_shared_from_this<Reactor> {
 public:
  Reactor(ScriptedRelay* relay, size_t stream) : relay_(relay), stream_(stream) {}

  void Begin() {
    self_ = shared_from_this();
    StartRead(&request_);
  }

  void Note(ScriptedChannel::Output output) {
    sync::MutexLock lock(mutex_);
    if (!ending_) ending_ = output.end;
    if (!output.end && !ending_) queue_.push_back(std::move(output.response));
  }

  void Flush() {
    {
      sync::MutexLock lock(mutex_);
      if (starting_) return;
      starting_ = true;
    }
    while (StartNext()) {
    }
  }

  void OnReadDone(bool ok) override {
    if (ok) {
      relay_->Took(stream_, request_);
      sync::MutexLock lock(mutex_);
      read_wanted_ = !ending_;
    } else {
      relay_->Gone(stream_);
      sync::MutexLock lock(mutex_);
      if (!ending_) ending_ = grpc::Status::OK;
    }
    Flush();
  }

  void OnWriteDone(bool ok) override {
    {
      sync::MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) queue_.clear();
    }
    Flush();
  }

  void OnDone() override { const std::shared_ptr<Reactor> last = std::move(self_); }

 private:
  bool StartNext() {
    enum { kNothing, kWrite, kFinish, kRead } action = kNothing;
    grpc::Status status;
    {
      sync::MutexLock lock(mutex_);
      if (!finished_ && !writing_ && !queue_.empty()) {
        writing_ = true;
        response_ = std::move(queue_.front());
        queue_.pop_front();
        action = kWrite;
      } else if (!finished_ && !writing_ && ending_) {
        finished_ = true;
        status = *ending_;
        action = kFinish;
      } else if (!finished_ && read_wanted_ && !ending_) {
        read_wanted_ = false;
        action = kRead;
      } else {
        starting_ = false;
      }
    }
    if (action == kWrite) StartWrite(&response_);
    if (action == kFinish) Finish(status);
    if (action == kRead) StartRead(&request_);
    return action != kNothing;
  }

  ScriptedRelay* const relay_;
  const size_t stream_;
  std::shared_ptr<Reactor> self_;  // until OnDone
  AttachRequest request_;
  AttachResponse response_;

  sync::Mutex mutex_;
  std::deque<AttachResponse> queue_ WORMHOLE_GUARDED_BY(mutex_);
  std::optional<grpc::Status> ending_ WORMHOLE_GUARDED_BY(mutex_);
  bool starting_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool writing_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool finished_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool read_wanted_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

ScriptedRelay::ScriptedRelay(Role client, std::string app_id, std::string peer_data, Script script,
                             std::shared_ptr<grpc::ServerCredentials> credentials)
    : channel_(client, std::move(app_id), std::move(peer_data), std::move(script)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  builder.RegisterService(this);
  builder.SetMaxReceiveMessageSize(1 << 22);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port == 0) abort();
  address_ = "127.0.0.1:" + std::to_string(port);
}

ScriptedRelay::~ScriptedRelay() { Stop(); }

void ScriptedRelay::Learn(const std::string& words) {
  {
    sync::MutexLock lock(mutex_);
    channel_.Learn(words);
  }
  Deliver();
}

Transcript ScriptedRelay::Stop() {
  if (server_ != nullptr) {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }
  sync::MutexLock lock(mutex_);
  reactors_.clear();
  return channel_.Result();
}

std::optional<std::string> ScriptedRelay::PeerData() {
  sync::MutexLock lock(mutex_);
  return channel_.peer_data();
}

grpc::ServerBidiReactor<AttachRequest, AttachResponse>* ScriptedRelay::Attach(
    grpc::CallbackServerContext*) {
  std::shared_ptr<Reactor> reactor;
  {
    sync::MutexLock lock(mutex_);
    reactor = std::make_shared<Reactor>(this, channel_.Began());
    reactors_.push_back(reactor);
  }
  reactor->Begin();
  return reactor.get();
}

void ScriptedRelay::Took(size_t stream, const AttachRequest& request) {
  {
    sync::MutexLock lock(mutex_);
    channel_.Took(stream, request);
  }
  Deliver();
}

void ScriptedRelay::Gone(size_t stream) {
  sync::MutexLock lock(mutex_);
  channel_.Gone(stream);
}

void ScriptedRelay::Deliver() {
  std::vector<std::shared_ptr<Reactor>> busy;
  {
    sync::MutexLock lock(mutex_);
    for (ScriptedChannel::Output& output : channel_.TakeOutputs()) {
      busy.push_back(reactors_[output.stream]);
      busy.back()->Note(std::move(output));
    }
  }
  for (const std::shared_ptr<Reactor>& reactor : busy) reactor->Flush();
}

}  // namespace wormhole::conformance
