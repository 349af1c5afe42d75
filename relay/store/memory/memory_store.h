// A store that forgets everything when the process ends. The relay with it is as durable as its
// process: what clients had posted is gone with it, and they are told so when they resume.
#ifndef WORMHOLE_RELAY_STORE_MEMORY_MEMORY_STORE_H_
#define WORMHOLE_RELAY_STORE_MEMORY_MEMORY_STORE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// Has no thread: one of those in Flush at a time carries out the calls of all, in order.
class MemoryStore final : public Store {
 public:
  MemoryStore() = default;
  ~MemoryStore() override;

  absl::Status Start(StoreListener* listener) override;
  void Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) override;
  void FindSide(std::string_view app_id, std::string_view side,
                Done<std::optional<uint32_t>> done) override;
  void Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
           const PutOptions& options, Done<PutOutcome> done) override;
  void Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) override;
  void Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
              std::string frame, Done<AppendResult> done) override;
  void Accept(const ChannelRef& channel, Role author, uint64_t cursor,
              Done<LogState> done) override;
  void Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
            Done<std::vector<StoredFrame>> done) override;
  void Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) override;
  void Flush() override WORMHOLE_EXCLUDES(mutex_);

 private:
  // Carries a call out and answers it; given an error, it only answers.
  using Call = std::function<void(const absl::Status& error)>;

  template <typename T, typename Work>
  void Add(Work work, Done<T> done) WORMHOLE_EXCLUDES(mutex_);
  // The next call for the thread that is in Flush; none: that thread is through.
  Call Next() WORMHOLE_EXCLUDES(mutex_);

  MemoryChannels channels_;  // of the thread that is in Flush
  sync::Mutex mutex_;
  std::deque<Call> calls_ WORMHOLE_GUARDED_BY(mutex_);
  bool running_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_MEMORY_MEMORY_STORE_H_
