#include "tests/simulation/sim_stream.h"

#include <algorithm>
#include <utility>

namespace wormhole::simulation {
namespace {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

absl::Status Lost() { return absl::UnavailableError("the simulated connection is lost"); }

}  // namespace

SimStream::SimStream(const Stage* stage, const NetworkPlan& plan, WireWatcher* watcher,
                     SimRandom random, int party, uint64_t number, StreamEvents* events)
    : stage_(stage),
      plan_(plan),
      watcher_(watcher),
      random_(random),
      party_(party),
      number_(number),
      events_(events),
      up_(stage->loop, random_.Fork(), plan.min_delay, plan.max_delay),
      down_(stage->loop, random_.Fork(), plan.min_delay, plan.max_delay) {}

void SimStream::Start(const AttachRequest& open, Connect connect) {
  watcher_->OnRequest(party_, number_, open);
  if (stage_->stormy() && random_.Chance(plan_.failing_connects)) {
    up_.Drop();
    watcher_->OnRelayOver(number_);
    // Refused, or nobody ever says anything.
    if (random_.Chance(0.7)) stage_->loop->After(Notice(), [this] { TellClient(Lost()); });
    return;
  }
  up_.Push([this, connect = std::move(connect)] { ConnectRelay(connect); });
  up_.Push([this, open] { ArriveAtRelay(open); });
  if (!stage_->stormy() || plan_.mean_life == absl::InfiniteDuration()) return;
  stage_->loop->After(random_.Exponential(plan_.mean_life), [this] {
    if (stage_->stormy()) Break();
  });
}

void SimStream::ConnectRelay(const Connect& connect) {
  if (relay_over_) return;
  attachment_ = connect(shared_from_this());
  last_attachment_ = attachment_;
  if (attachment_ != nullptr) return;
  relay_over_ = true;
  watcher_->OnRelayOver(number_);
  down_.Push([this] { TellClient(Lost()); });
}

void SimStream::Request(const AttachRequest& request) {
  if (events_ == nullptr) return;
  watcher_->OnRequest(party_, number_, request);
  if (stage_->flaws.overtaken_posts && request.has_post() && !overtaken_.has_value()) {
    overtaken_ = request;
    return;
  }
  up_.Push([this, request] { ArriveAtRelay(request); });
  if (!overtaken_.has_value()) return;
  up_.Push([this, late = *overtaken_] { ArriveAtRelay(late); });
  overtaken_.reset();
}

void SimStream::ArriveAtRelay(const AttachRequest& request) {
  if (relay_over_) return;
  inbox_.push_back(request);
  Flush();
}

void SimStream::Drop(bool silent) {
  if (events_ == nullptr) return;
  if (silent) watcher_->OnSilence(party_, number_);
  stage_->trace->Line("stream ", number_, ": dropped by ", party_);
  events_ = nullptr;
  down_.Drop();
  const bool heard = !stage_->stormy() || random_.Chance(0.8);
  if (!heard) {
    up_.Cut();
  } else if (random_.Chance(0.5)) {
    up_.Push([this] { TellRelay(); });  // after what was said before
    up_.Cut();
  } else {
    up_.Drop();  // a reset overtakes
    stage_->loop->After(Notice(), [this] { TellRelay(); });
  }
}

void SimStream::TellClient(const absl::Status& status) {
  if (events_ == nullptr) return;
  stage_->trace->Line("stream ", number_, ": ends for ", party_, ": ", status.ToString());
  watcher_->OnEnded(party_, number_, status);
  StreamEvents* const events = std::exchange(events_, nullptr);
  up_.Cut();
  events->OnEnded(status);
}

void SimStream::TellRelay() {
  if (relay_over_) return;
  stage_->trace->Line("stream ", number_, ": ends for the relay");
  relay_over_ = true;
  watcher_->OnRelayOver(number_);
  inbox_.clear();
  outbox_.clear();
  if (attachment_ == nullptr) return;
  attachment_->Detach();
  attachment_.reset();
}

absl::Duration SimStream::Notice() {
  return random_.Chance(0.7)
             ? random_.Between(plan_.min_delay, plan_.max_delay)
             : random_.Between(absl::ZeroDuration(),
                               stage_->stormy() ? absl::Seconds(60) : absl::Seconds(1));
}

void SimStream::Break() {
  if (events_ == nullptr && relay_over_) return;
  stage_->trace->Line("stream ", number_, ": breaks");
  for (Pipe* pipe : {&up_, &down_}) {
    pipe->Cut();
    if (random_.Chance(0.5)) {
      pipe->Drop();
    } else if (random_.Chance(0.3)) {
      pipe->Stall(random_.Between(absl::ZeroDuration(), absl::Seconds(40)));
    }
  }
  if (random_.Chance(0.7)) stage_->loop->After(Notice(), [this] { TellClient(Lost()); });
  if (random_.Chance(0.6)) stage_->loop->After(Notice(), [this] { TellRelay(); });
}

void SimStream::LoseRelay(bool tells) {
  if (attachment_ == nullptr) return;
  relay_over_ = true;
  watcher_->OnRelayOver(number_);
  inbox_.clear();
  outbox_.clear();
  attachment_.reset();
  up_.Cut();
  if (tells) {
    down_.Push([this] { TellClient(Lost()); });
  } else {
    down_.Cut();
  }
}

void SimStream::TearDown() {
  events_ = nullptr;
  up_.Drop();
  down_.Drop();
  TellRelay();
}

void SimStream::Send(AttachResponse response) {
  if (relay_over_ || ending_.has_value()) return;
  watcher_->OnSaid(number_, response);
  backlog_ += response.ByteSizeLong();
  outbox_.push_back(std::move(response));
}

void SimStream::End(absl::Status status) {
  if (relay_over_ || ending_.has_value()) return;
  watcher_->OnEnding(number_, status, events_ != nullptr);
  ending_ = std::move(status);
}

size_t SimStream::Backlog() const {
  told_backlog_ = std::max(told_backlog_, backlog_);
  return backlog_;
}

void SimStream::Flush() {
  if (working_ || relay_over_) return;
  working_ = true;
  stage_->loop->After(absl::ZeroDuration(), [this] {
    working_ = false;
    Work();
  });
}

void SimStream::Work() {
  if (relay_over_) return;
  if (!writing_ && !outbox_.empty()) {
    writing_ = true;
    stage_->loop->After(random_.Between(absl::ZeroDuration(), plan_.max_write),
                        [this] { WriteFirst(); });
  }
  if (!writing_ && outbox_.empty() && ending_.has_value()) return FinishRelayEnd();
  if (ending_.has_value() || !may_read_ || inbox_.empty()) return;
  may_read_ = false;
  AttachRequest request = std::move(inbox_.front());
  inbox_.pop_front();
  attachment_->Receive(std::move(request));
  Flush();
}

void SimStream::WriteFirst() {
  writing_ = false;
  if (relay_over_) return;
  const AttachResponse response = std::move(outbox_.front());
  outbox_.pop_front();
  backlog_ -= response.ByteSizeLong();
  down_.Push([this, response] {
    if (events_ == nullptr) return;
    watcher_->OnResponse(party_, number_, response);
    events_->OnResponse(response);
  });
  if (backlog_ < told_backlog_) {
    told_backlog_ = 0;
    attachment_->Drained();
  }
  Work();
}

void SimStream::FinishRelayEnd() {
  down_.Push([this, status = *ending_] { TellClient(status); });
  TellRelay();
}

}  // namespace wormhole::simulation
