#include "relay/monitor/event_feed.h"

#include <utility>

#include "proto/error/error_detail.h"
#include "proto/wire/app_id.h"
#include "proto/wire/proto_time.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::Event;

Event::Type TypeOf(ChannelEvent::Kind kind) {
  switch (kind) {
    case ChannelEvent::Kind::kAllocated:
      return Event::TYPE_ALLOCATED;
    case ChannelEvent::Kind::kClaimed:
      return Event::TYPE_CLAIMED;
    case ChannelEvent::Kind::kPaired:
      return Event::TYPE_PAIRED;
    case ChannelEvent::Kind::kCrowded:
      return Event::TYPE_CROWDED;
    case ChannelEvent::Kind::kClosed:
      return Event::TYPE_CLOSED;
    case ChannelEvent::Kind::kExpired:
      return Event::TYPE_EXPIRED;
  }
  return Event::TYPE_UNSPECIFIED;
}

}  // namespace

EventQueue::EventQueue(std::string app_id, std::function<void()> wake)
    : app_id_(std::move(app_id)), wake_(std::move(wake)) {}

std::optional<EventQueue::Taken> EventQueue::Take() {
  sync::MutexLock lock(mutex_);
  if (events_.empty()) return std::nullopt;
  Taken taken{.event = std::move(events_.front()), .lost = std::exchange(lost_, 0)};
  events_.pop_front();
  return taken;
}

bool EventQueue::Add(EventPtr event) {
  sync::MutexLock lock(mutex_);
  events_.push_back(std::move(event));
  if (events_.size() <= kMaxEvents) return false;
  events_.pop_front();
  ++lost_;
  return true;
}

std::shared_ptr<EventQueue> EventFeed::Watch(std::string app_id, std::function<void()> wake) {
  auto queue = std::make_shared<EventQueue>(std::move(app_id), std::move(wake));
  sync::MutexLock lock(mutex_);
  if (queues_.size() >= kMaxWatchers) return nullptr;
  queues_.push_back(queue);
  watchers_ = queues_.size();
  return queue;
}

void EventFeed::Leave(const std::shared_ptr<EventQueue>& queue) {
  sync::MutexLock lock(mutex_);
  std::erase(queues_, queue);
  watchers_ = queues_.size();
}

void EventFeed::Note(const ChannelEvent& event) {
  if (!watched()) return;
  Event shown;
  shown.set_type(TypeOf(event.kind));
  shown.set_app_id(event.key.app_id);
  shown.set_channel_id(event.key.id);
  shown.set_mood(event.mood);
  Add(std::move(shown));
}

void EventFeed::Note(const StreamReport& report) {
  if (!watched() || report.status.ok()) return;
  const error::ErrorDetail::Reason reason = error::ReasonOf(report.status);
  if (reason == error::ErrorDetail::REASON_UNSPECIFIED) return;
  Event shown;
  shown.set_type(Event::TYPE_REFUSED);
  // A client may send any bytes, and many; an event shows only an app-id that is valid.
  if (wire::CheckAppId(report.app_id).ok()) shown.set_app_id(report.app_id);
  shown.set_channel_id(report.channel_id);
  shown.set_reason(reason);
  Add(std::move(shown));
}

void EventFeed::Add(Event event) {
  wire::Assign(now_(), *event.mutable_time());
  const auto shared = std::make_shared<const Event>(std::move(event));
  std::vector<std::shared_ptr<EventQueue>> queues;
  {
    sync::MutexLock lock(mutex_);
    queues = queues_;
  }
  for (const std::shared_ptr<EventQueue>& queue : queues) {
    if (!queue->Wants(*shared)) continue;
    if (queue->Add(shared)) lost_.fetch_add(1, std::memory_order_relaxed);
    queue->wake_();
  }
}

}  // namespace wormhole::relay
