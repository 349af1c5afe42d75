// What a store of a single relay's own keeps in memory: channels, their logs and sides, and when
// they are due. One thread.
#ifndef WORMHOLE_RELAY_STORE_MEMORY_MEMORY_CHANNELS_H_
#define WORMHOLE_RELAY_STORE_MEMORY_MEMORY_CHANNELS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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

// What is kept of one author's log.
struct KeptLog {
  LogState state;
  // Numbers state.forgotten + 1 and on. Never changed, so that copies share them.
  std::vector<std::shared_ptr<const std::string>> frames;
};

struct KeptChannel {
  ChannelRecord record;
  PerRole<KeptLog> logs;  // by author
};

// A side of an ended channel whose place was taken.
struct RestingSide {
  std::string app_id;
  std::string side;
  uint32_t id = 0;  // that the channel had
  absl::Time until;

  friend bool operator==(const RestingSide&, const RestingSide&) = default;
};

// Hears of changes before they are made, for a store that makes them durable or takes them back.
class ChannelsObserver {
 public:
  virtual ~ChannelsObserver() = default;

  // `before`: what is kept now; null: nothing. `anew`: nothing of its logs will be.
  virtual void OnChange(const ChannelKey& key, const KeptChannel* before, bool anew) = 0;
  virtual void OnRest(const RestingSide& side) = 0;
  // Their rest is over.
  virtual void OnForget(const std::vector<RestingSide>& sides) = 0;
};

// The methods are Store's, answered at once.
class MemoryChannels {
 public:
  // `observer` may be null; else it outlives this object.
  explicit MemoryChannels(ChannelsObserver* observer = nullptr) : observer_(observer) {}
  MemoryChannels(const MemoryChannels&) = delete;
  MemoryChannels& operator=(const MemoryChannels&) = delete;

  void ForEach(const std::function<void(const ChannelKey&, IdState state)>& visit) const;
  std::optional<ChannelSnapshot> Load(const ChannelKey& key) const;
  std::optional<uint32_t> FindSide(const std::string& app_id, const std::string& side) const;
  PutOutcome Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                 const PutOptions& options = {});
  PutOutcome Erase(const ChannelKey& key, uint64_t expected);
  AppendResult Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                      std::string frame);
  absl::StatusOr<LogState> Accept(const ChannelRef& channel, Role author, uint64_t cursor);
  std::vector<StoredFrame> Read(const ChannelRef& channel, Role author, uint64_t after,
                                size_t max_bytes) const;
  std::vector<ChannelKey> Due(absl::Time now, size_t limit);
  // How many sides one call of Due forgets: what is made durable of it is of that size.
  static constexpr size_t kForgetAtOnce = 4096;
  // The same, and forgets no sides.
  std::vector<ChannelKey> FindDue(absl::Time now, size_t limit) const;
  // What follows asks no rule, and tells the observer nothing: for what was kept elsewhere.
  // Null: there is no such channel. Valid until the next change.
  const KeptChannel* Get(const ChannelKey& key) const { return Find(key); }
  // False, and nothing has changed: there is one under this key, or a side is another channel's or
  // rests.
  bool Insert(const ChannelKey& key, KeptChannel channel);
  // Forgets the channel, if there is one, and its sides.
  void Remove(const ChannelKey& key);
  // False: the side is a channel's, or rests already.
  bool Rest(const RestingSide& side);
  void EndRest(const RestingSide& side);

  // Of the frames that are kept. Any thread.
  uint64_t stored_bytes() const { return stored_bytes_.load(std::memory_order_relaxed); }

 private:
  using Channel = KeptChannel;
  struct App {
    const std::string* app_id = nullptr;  // the key of this app in apps_
    std::unordered_map<uint32_t, Channel> channels;
    // Also those that rest.
    std::unordered_map<std::string, uint32_t> sides;
  };
  struct Resting {
    absl::Time until;
    App* app = nullptr;
    std::string side;

    friend bool operator<(const Resting& a, const Resting& b) {
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
  void BeforeChange(const ChannelKey& key, const Channel* channel, bool anew);
  void RestSides(const ChannelKey& key, const ChannelRecord& ended);

  ChannelsObserver* const observer_;
  std::atomic<uint64_t> stored_bytes_ = 0;
  std::unordered_map<std::string, App> apps_;  // those with a channel or a side
  std::set<Resting> resting_;                  // see RestingSide
  std::set<std::tuple<absl::Time, const App*, uint32_t>> due_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_MEMORY_MEMORY_CHANNELS_H_
