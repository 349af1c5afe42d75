// A StoreListener that notes what it hears, for tests that wait for it.
#ifndef WORMHOLE_TESTS_STORE_NOTING_LISTENER_H_
#define WORMHOLE_TESTS_STORE_NOTING_LISTENER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/sync/mutex.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// Thread-safe. Notes are short lines such as "taken 7", "log 7 i stored 1 accepted 0 frame 1 one".
class NotingListener final : public StoreListener {
 public:
  void OnId(const ChannelKey& key, IdState state) override;
  void OnChanged(const ChannelKey& key, const ChannelSnapshot* now) override;
  void OnLog(const ChannelRef& channel, Role author, const LogState& log,
             const StoredFrame* frame) override;
  void OnPresence(const ChannelRef& channel, Role role, bool remote) override;
  void OnThirdParties(const ChannelRef& channel, uint32_t count) override;
  void OnReset(bool restored) override;

  // Blocks until this has been noted, after what an earlier Await has found. Fails the test when
  // that takes minutes.
  void Await(const std::string& note) WORMHOLE_EXCLUDES(mutex_);
  // As Await, for tests in which nothing happens by itself: false when it has not been noted.
  bool Find(const std::string& note) WORMHOLE_EXCLUDES(mutex_);
  std::vector<std::string> notes() const WORMHOLE_EXCLUDES(mutex_);

 private:
  void Note(std::string note) WORMHOLE_EXCLUDES(mutex_);
  bool FindNext(const std::string& note) WORMHOLE_REQUIRES(mutex_);

  mutable sync::Mutex mutex_;
  sync::CondVar noted_;
  std::vector<std::string> notes_ WORMHOLE_GUARDED_BY(mutex_);
  size_t seen_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_NOTING_LISTENER_H_
