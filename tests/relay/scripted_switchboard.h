// A switchboard that only notes what the reactor does; the test plays its part.
#ifndef WORMHOLE_TESTS_RELAY_SCRIPTED_SWITCHBOARD_H_
#define WORMHOLE_TESTS_RELAY_SCRIPTED_SWITCHBOARD_H_

#include <deque>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/sync/mutex.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/switchboard.h"
#include "tests/support/attach_client.h"

namespace wormhole::service_test {

using relay::Attachment;
using relay::Sink;
using relay::StreamOrigin;

// Notes what the reactor does; the test speaks through `sink`.
class ScriptedAttachment final : public Attachment {
 public:
  explicit ScriptedAttachment(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}

  Sink& sink() { return *sink_; }

  void Receive(AttachRequest request) override {
    const size_t backlog = sink_->Backlog();
    sync::MutexLock lock(mutex_);
    EXPECT_FALSE(busy_) << "a request came before the last one was done with";
    EXPECT_FALSE(detached_);
    busy_ = true;
    backlog_at_receive_ = backlog;
    requests_.push_back(std::move(request));
    changed_.NotifyAll();
  }

  void Drained() override {
    sync::MutexLock lock(mutex_);
    ++drained_;
    changed_.NotifyAll();
  }

  void Detach() override {
    sync::MutexLock lock(mutex_);
    detached_ = true;
    changed_.NotifyAll();
  }

  AttachRequest AwaitRequest() {
    sync::MutexLock lock(mutex_);
    while (requests_.empty()) changed_.Wait(mutex_);
    AttachRequest request = std::move(requests_.front());
    requests_.pop_front();
    return request;
  }

  // Done with the last request: the next may come.
  void Next() {
    {
      sync::MutexLock lock(mutex_);
      busy_ = false;
    }
    sink_->ReadMore();
    sink_->Flush();
  }

  void AwaitDetached() {
    sync::MutexLock lock(mutex_);
    while (!detached_) changed_.Wait(mutex_);
  }

  void AwaitDrained(int times) {
    sync::MutexLock lock(mutex_);
    while (drained_ < times) changed_.Wait(mutex_);
  }

  size_t backlog_at_receive() {
    sync::MutexLock lock(mutex_);
    return backlog_at_receive_;
  }

 private:
  const std::shared_ptr<Sink> sink_;
  sync::Mutex mutex_;
  sync::CondVar changed_;
  std::deque<AttachRequest> requests_ WORMHOLE_GUARDED_BY(mutex_);
  size_t backlog_at_receive_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  int drained_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool busy_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool detached_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

class ScriptedSwitchboard final : public relay::Switchboard {
 public:
  std::shared_ptr<Attachment> Attach(std::shared_ptr<Sink> sink, StreamOrigin /*origin*/) override {
    auto attachment = std::make_shared<ScriptedAttachment>(std::move(sink));
    sync::MutexLock lock(mutex_);
    if (draining_) {
      attachment->sink().End(error::Make(error::ErrorDetail::REASON_DRAINING, "draining"));
      attachment->sink().Flush();
    }
    attachments_.push_back(attachment);
    changed_.NotifyAll();
    return attachment;
  }
  void Tick() override {}
  void Drain() override {
    sync::MutexLock lock(mutex_);
    draining_ = true;
  }
  relay::SwitchboardCounts Count() override { return {}; }
  std::vector<relay::AppView> ListApps(const std::string&, size_t) override { return {}; }
  void ListChannels(const std::string&, const relay::ChannelKey&, size_t,
                    std::function<void(absl::StatusOr<relay::ChannelPage>)>) override {}

  std::shared_ptr<ScriptedAttachment> AwaitAttachment() {
    sync::MutexLock lock(mutex_);
    while (attachments_.empty()) changed_.Wait(mutex_);
    auto attachment = attachments_.front();
    attachments_.pop_front();
    return attachment;
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  std::deque<std::shared_ptr<ScriptedAttachment>> attachments_ WORMHOLE_GUARDED_BY(mutex_);
  bool draining_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::service_test

#endif  // WORMHOLE_TESTS_RELAY_SCRIPTED_SWITCHBOARD_H_
