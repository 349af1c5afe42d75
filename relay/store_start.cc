#include "relay/store_start.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace wormhole::relay {

StoreStart::StoreStart() : fd_(eventfd(0, EFD_CLOEXEC)) {
  if (fd_ >= 0) return;
  std::perror("wormhole-relay: cannot wait for the store");
  std::abort();
}

StoreStart::~StoreStart() { close(fd_); }

void StoreStart::Note(const absl::Status& status) {
  {
    sync::MutexLock lock(mutex_);
    status_ = status;
  }
  eventfd_write(fd_, 1);
}

}  // namespace wormhole::relay
