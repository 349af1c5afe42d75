#include "client/cli/events.h"

#include <errno.h>
#include <sys/eventfd.h>

#include <utility>

#include "absl/status/status.h"

namespace wormhole::cli {

absl::StatusOr<std::shared_ptr<Events>> Events::Create() {
  // As a semaphore it counts the events, so that it is readable exactly while there are some.
  FileDescriptor fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "cannot make an event descriptor");
  return std::shared_ptr<Events>(new Events(std::move(fd)));
}

void Events::Push(Event event) {
  sync::MutexLock lock(mutex_);
  events_.push_back(std::move(event));
  eventfd_write(fd_.get(), 1);
}

std::optional<Event> Events::Pop() {
  sync::MutexLock lock(mutex_);
  if (events_.empty()) return std::nullopt;
  eventfd_t count = 0;
  eventfd_read(fd_.get(), &count);
  std::optional<Event> event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace wormhole::cli
