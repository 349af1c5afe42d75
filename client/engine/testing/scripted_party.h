// A core, a network and a log for tests of PartyDriver: they do what the test says.
#ifndef WORMHOLE_CLIENT_ENGINE_TESTING_SCRIPTED_PARTY_H_
#define WORMHOLE_CLIENT_ENGINE_TESTING_SCRIPTED_PARTY_H_

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/core/exchange.h"
#include "client/stream/transport.h"
#include "proto/sync/mutex.h"

namespace wormhole {

using rendezvous::v1::AttachRequest;

// Notes what happened, from any thread, and waits for it.
class Log {
 public:
  void Add(std::string line) {
    sync::MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.NotifyAll();
  }
  void Await(const std::string& line) {
    sync::MutexLock lock(mutex_);
    while (std::find(lines_.begin(), lines_.end(), line) == lines_.end()) changed_.Wait(mutex_);
  }
  std::vector<std::string> lines() const {
    sync::MutexLock lock(mutex_);
    return lines_;
  }

 private:
  mutable sync::Mutex mutex_;
  sync::CondVar changed_;
  std::vector<std::string> lines_ WORMHOLE_GUARDED_BY(mutex_);
};

// A core that does what the test says.
struct Script {
  std::function<std::vector<core::Effect>(core::Event)> step;
  std::optional<absl::Duration> wake;
  std::atomic<bool> asks_for_verifier = false;
};

class ScriptedExchange : public core::Exchange {
 public:
  explicit ScriptedExchange(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  std::vector<core::Effect> Step(core::Event event, core::Instant) override {
    return script_->step(std::move(event));
  }
  std::optional<absl::Duration> NextWake() const override { return script_->wake; }
  std::string Serialize() const override { return "state"; }
  absl::StatusOr<std::string> Verifier() const override { return "words"; }
  absl::Status DeriveKey(std::string_view, pake::SecretSpan) const override {
    return absl::OkStatus();
  }
  const std::string& relay() const override { return name_; }
  pake::Role role() const override { return pake::Role::kInitiator; }
  bool asks_for_verifier() const override { return script_->asks_for_verifier; }

 private:
  const std::shared_ptr<Script> script_;
  const std::string name_ = "name";
};

// A network that notes what is sent and says what the test says.
class ScriptedTransport : public Transport {
 public:
  explicit ScriptedTransport(std::shared_ptr<Log> log) : log_(std::move(log)) {}

  std::shared_ptr<Stream> Open(const StreamTarget&,
                               std::shared_ptr<StreamListener> listener) override {
    sync::MutexLock lock(mutex_);
    listeners_.push_back(std::move(listener));
    log_->Add("open");
    return std::make_shared<ScriptedStream>(log_, listeners_.size());
  }
  std::shared_ptr<StreamListener> listener(size_t i) const {
    sync::MutexLock lock(mutex_);
    return listeners_.at(i);
  }

 private:
  class ScriptedStream : public Stream {
   public:
    ScriptedStream(std::shared_ptr<Log> log, size_t number)
        : log_(std::move(log)), number_(std::to_string(number)) {}
    void Send(AttachRequest request) override {
      log_->Add("send " + std::to_string(request.request_case()) + " on " + number_);
    }
    void ReadMore() override { log_->Add("read more on " + number_); }
    void Distrust() override { log_->Add("distrust " + number_); }
    void Abandon() override { log_->Add("abandon " + number_); }

   private:
    const std::shared_ptr<Log> log_;  // outlives the test: streams end in the background
    const std::string number_;
  };

  const std::shared_ptr<Log> log_;
  mutable sync::Mutex mutex_;
  std::vector<std::shared_ptr<StreamListener>> listeners_ WORMHOLE_GUARDED_BY(mutex_);
};

inline AttachRequest OpenRequest() {
  AttachRequest request;
  request.mutable_open();
  return request;
}

inline AttachRequest CloseRequest() {
  AttachRequest request;
  request.mutable_close();
  return request;
}

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_TESTING_SCRIPTED_PARTY_H_
