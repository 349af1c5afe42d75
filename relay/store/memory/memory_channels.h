// What MemoryStore keeps: channels, their logs and sides, and when they are due. One thread.
#ifndef WORMHOLE_RELAY_STORE_MEMORY_MEMORY_CHANNELS_H_
#define WORMHOLE_RELAY_STORE_MEMORY_MEMORY_CHANNELS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// The methods are Store's, answered at once.
class MemoryChannels {
 public:
  MemoryChannels() = default;
  MemoryChannels(const MemoryChannels&) = delete;
  MemoryChannels& operator=(const MemoryChannels&) = delete;

  void ForEach(const std::function<void(const ChannelKey&, IdState state)>& visit) const;
  std::optional<ChannelSnapshot> Load(const ChannelKey& key) const;
  std::optional<uint32_t> FindSide(const std::string& app_id, const std::string& side) const;
  PutOutcome Put(const ChannelKey& key, uint64_t expected, ChannelRecord record);
  PutOutcome Erase(const ChannelKey& key, uint64_t expected);
  AppendResult Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                      std::string frame);
  absl::StatusOr<LogState> Accept(const ChannelRef& channel, Role author, uint64_t cursor);
  std::vector<StoredFrame> Read(const ChannelRef& channel, Role author, uint64_t after,
                                size_t max_bytes) const;
  std::vector<ChannelKey> Due(absl::Time now, size_t limit);
  // The same, and forgets no sides.
  std::vector<ChannelKey> FindDue(absl::Time now, size_t limit) const;
  // Of the frames that are kept. Any thread.
  uint64_t stored_bytes() const { return stored_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Log {
    LogState state;
    std::vector<std::string> frames;  // numbers state.forgotten + 1 and on
  };
  struct Channel {
    ChannelRecord record;
    PerRole<Log> logs;  // by author
  };
  struct App {
    const std::string* app_id = nullptr;  // the key of this app in apps_
    std::unordered_map<uint32_t, Channel> channels;
    // Also those that rest.
    std::unordered_map<std::string, uint32_t> sides;
  };
  struct Rest {
    absl::Time until;
    App* app = nullptr;
    std::string side;

    friend bool operator<(const Rest& a, const Rest& b) {
      return std::tie(a.until, a.app, a.side) < std::tie(b.until, b.app, b.side);
    }
  };

  const App* FindApp(const std::string& app_id) const;
  const Channel* Find(const ChannelKey& key) const;
  Channel* Find(const ChannelKey& key);
  const Channel* Find(const ChannelRef& channel) const;
  Channel* Find(const ChannelRef& channel);
  App& MakeApp(const std::string& app_id);
  void DropIfEmpty(App& app);
  void ForgetRested(absl::Time now);
  void DropLogs(Channel& channel);

  std::atomic<uint64_t> stored_bytes_ = 0;
  std::unordered_map<std::string, App> apps_;  // those with a channel or a side
  // Sides of ended channels whose place was taken.
  std::set<Rest> resting_;
  std::set<std::tuple<absl::Time, const App*, uint32_t>> due_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_MEMORY_MEMORY_CHANNELS_H_
