#include "tests/client/wire.h"

#include <string_view>
#include <utility>

#include "proto/error/error_detail.h"

namespace wormhole::testing {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

class Wire::ClientEnd : public Stream {
 public:
  explicit ClientEnd(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  void Send(AttachRequest request) override {
    wire_->Note([&]() WORMHOLE_NO_THREAD_SAFETY_ANALYSIS {
      wire_->requests_.push_back(std::move(request));
    });
  }
  void ReadMore() override {
    wire_->Note([&]() WORMHOLE_NO_THREAD_SAFETY_ANALYSIS { ++wire_->wanted_responses_; });
  }
  void Abandon() override {
    std::shared_ptr<StreamListener> listener;  // outlives the lock
    wire_->Note([&]() WORMHOLE_NO_THREAD_SAFETY_ANALYSIS {
      listener.swap(wire_->listener_);
      wire_->broken_ = true;
    });
  }

 private:
  const std::shared_ptr<Wire> wire_;
};

class Wire::RelayEnd : public relay::Sink {
 public:
  explicit RelayEnd(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

  void Send(AttachResponse response) override {
    sync::MutexLock lock(wire_->mutex_);
    if (wire_->end_.has_value()) return;
    wire_->backlog_ += response.ByteSizeLong();
    wire_->responses_.push_back(std::move(response));
  }
  void End(absl::Status status) override {
    sync::MutexLock lock(wire_->mutex_);
    if (!wire_->end_.has_value()) wire_->end_ = std::move(status);
  }
  void ReadMore() override {
    sync::MutexLock lock(wire_->mutex_);
    ++wire_->wanted_requests_;
  }
  void Flush() override {
    wire_->Note([] {});
  }
  size_t Backlog() const override {
    sync::MutexLock lock(wire_->mutex_);
    return wire_->backlog_;
  }

 private:
  const std::shared_ptr<Wire> wire_;
};

Wire::Wire(Executor* executor, std::shared_ptr<StreamListener> listener,
           std::function<void(const Wire*)> gone)
    : executor_(executor), gone_(std::move(gone)), listener_(std::move(listener)) {}

void Wire::Connect(relay::Switchboard* switchboard) {
  auto attachment = switchboard->Attach(std::make_shared<RelayEnd>(shared_from_this()), {});
  Note([&]() WORMHOLE_NO_THREAD_SAFETY_ANALYSIS { attachment_ = std::move(attachment); });
}

std::shared_ptr<Stream> Wire::MakeClientEnd() {
  return std::make_shared<ClientEnd>(shared_from_this());
}

void Wire::Break() {
  Note([this]() WORMHOLE_NO_THREAD_SAFETY_ANALYSIS { broken_ = true; });
}

void Wire::Note(const std::function<void()>& note) {
  sync::MutexLock lock(mutex_);
  if (over_) return;
  note();
  if (scheduled_) return;
  scheduled_ = true;
  executor_->Post([self = shared_from_this()] { self->Pump(); });
}

void Wire::Pump() {
  while (true) {
    std::function<void()> step;
    {
      sync::MutexLock lock(mutex_);
      if (!over_) step = NextStep();
      scheduled_ = step != nullptr;
    }
    if (step == nullptr) return;
    step();
  }
}

std::function<void()> Wire::NextStep() {
  if (broken_) return LastStep(absl::UnavailableError("the network failed"));
  if (attachment_ == nullptr) return nullptr;
  if (!requests_.empty() && wanted_requests_ > 0) {
    --wanted_requests_;
    auto request = std::make_shared<AttachRequest>(std::move(requests_.front()));
    requests_.pop_front();
    return [attachment = attachment_, request] { attachment->Receive(std::move(*request)); };
  }
  if (!responses_.empty() && wanted_responses_ > 0) {
    --wanted_responses_;
    auto response = std::make_shared<AttachResponse>(std::move(responses_.front()));
    responses_.pop_front();
    backlog_ -= response->ByteSizeLong();
    return [attachment = attachment_, listener = listener_, response] {
      if (listener != nullptr) listener->OnResponse(std::move(*response));
      attachment->Drained();
    };
  }
  if (responses_.empty() && end_.has_value()) return LastStep(*end_);
  return nullptr;
}

// The status goes over as its bytes do in a real network, so that the two sides share no memory:
// ThreadSanitizer does not see the reference counts of Debian's Abseil.
std::function<void()> Wire::LastStep(const absl::Status& status) {
  over_ = true;
  auto copy = std::make_shared<absl::Status>(
      error::FromWire(static_cast<int>(status.code()),
                      std::string_view(status.message().data(), status.message().size()),
                      error::ToEnvelope(status)));
  return [this, attachment = std::move(attachment_), listener = std::move(listener_), copy] {
    if (attachment != nullptr) attachment->Detach();
    if (listener != nullptr) listener->OnEnd(std::move(*copy));
    gone_(this);
  };
}

}  // namespace wormhole::testing
