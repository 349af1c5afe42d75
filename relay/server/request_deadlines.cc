#include "relay/server/request_deadlines.h"

namespace wormhole::relay {

void RequestDeadlines::Opened(int socket, Time now) {
  sync::MutexLock lock(mutex_);
  connections_.push_back({.socket = socket, .opened = now});
  while (connections_.size() > most_) CutOldest();
}

void RequestDeadlines::Closed(int socket) {
  sync::MutexLock lock(mutex_);
  connections_.remove_if([socket](const Connection& one) { return one.socket == socket; });
}

void RequestDeadlines::CutLate(Time now) {
  sync::MutexLock lock(mutex_);
  while (!connections_.empty() && connections_.front().opened + deadline_ <= now) CutOldest();
}

void RequestDeadlines::CutOldest() {
  cut_(connections_.front().socket);
  connections_.pop_front();
}

}  // namespace wormhole::relay
