// A page that takes time to write, for everybody who asks for it meanwhile.
#ifndef WORMHOLE_RELAY_SERVER_SHARED_PAGE_H_
#define WORMHOLE_RELAY_SERVER_SHARED_PAGE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "proto/sync/mutex.h"

namespace wormhole::relay {

// One thread answers all of an address, so that each page that it writes keeps the others waiting:
// who asks again and again would hold up everybody, until those who wait are cut off for their
// silence. So a page is for all who came before it was begun, and nobody gets one that is older
// than himself.
//
// Thread-safe.
class SharedPage {
 public:
  using Page = std::shared_ptr<const std::string>;

  // `write` is called under the lock, by the thread that asks.
  explicit SharedPage(std::function<std::string()> write) : write_(std::move(write)) {}

  // How many pages have been begun: who comes now is to ask for one after these. Does not wait for
  // the one that is being written.
  uint64_t begun() const { return begun_.load(); }

  // A page that was begun after the first `begun` ones: the last one, or else a new one. Waits
  // while one is being written.
  Page After(uint64_t begun) WORMHOLE_EXCLUDES(mutex_);

 private:
  const std::function<std::string()> write_;
  std::atomic<uint64_t> begun_ = 0;
  sync::Mutex mutex_;
  uint64_t number_ WORMHOLE_GUARDED_BY(mutex_) = 0;  // of the last page; 0: there is none
  Page page_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_SHARED_PAGE_H_
