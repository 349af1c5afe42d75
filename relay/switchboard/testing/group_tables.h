// What several relays store together, in memory, with what each is to be told of the others: for
// stores of tests. One thread.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_TABLES_H_
#define WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// The methods are Store's, answered at once, on behalf of a relay that is named by a number.
class GroupTables {
 public:
  using Side = std::pair<ChannelKey, Role>;

  // One change, in the order of the history.
  struct News {
    enum class Kind { kRecord, kLog, kPresence, kThirdParties };
    Kind kind = Kind::kRecord;
    int by = 0;  // the relay that made it
    ChannelKey key;
    Role role = Role::kInitiator;  // kPresence
    std::function<void(StoreListener&)> tell;
  };

  MemoryChannels& channels() { return channels_; }
  const MemoryChannels& channels() const { return channels_; }
  const std::vector<News>& history() const { return history_; }

  std::optional<ChannelSnapshot> Load(int relay, const ChannelKey& key) const;
  PutOutcome Put(int relay, const ChannelKey& key, uint64_t expected, const ChannelRecord& record,
                 const PutOptions& options = {});
  PutOutcome Erase(int relay, const ChannelKey& key, uint64_t expected);
  AppendResult Append(int relay, const ChannelRef& channel, uint64_t version, Role author,
                      uint64_t number, const std::string& frame);
  absl::StatusOr<LogState> Accept(int relay, const ChannelRef& channel, Role author,
                                  uint64_t cursor);
  void SetAttached(int relay, const ChannelRef& channel, Role role, bool attached);
  // Says again that a stream is attached, which is not a newer one for it. False, and nothing said,
  // when the side has attached elsewhere since.
  bool Renew(int relay, const ChannelRef& channel, Role role);
  void TellThirdParties(int relay, const ChannelRef& channel, uint32_t count);
  // The relay's word about its streams no longer holds.
  void ForgetAttached(int relay);

  // What OnId tells of the id now.
  void TellId(const ChannelKey& key, StoreListener& listener) const;
  bool IsAttached(const ChannelKey& key, Role role) const {
    return attached_.contains({key, role});
  }
  bool AnyAttached() const { return !attached_.empty(); }

  // Where in the history this relay's last SetAttached(true) for the side is: what is told of the
  // side from before is older. 0: there is none.
  size_t LastAttachOf(int relay, const Side& side) const;

 private:
  // False when nothing was to be said.
  bool Say(int relay, const ChannelRef& channel, Role role, bool attached);
  bool IsSuperseded(int relay, const Side& side) const;
  std::optional<LogState> LogOf(const ChannelKey& key, Role author) const;
  void NoteLog(int by, const ChannelRef& channel, Role author, const LogState& log,
               const StoredFrame& frame);
  void DropAttached(const ChannelKey& key);
  void NoteRecord(int by, const ChannelKey& key);

  MemoryChannels channels_;
  std::map<Side, int> attached_;  // at which relay
  // The relay at which the side has attached last by SetAttached, and where in the history.
  std::map<Side, std::pair<int, size_t>> arrivals_;
  std::map<std::pair<int, Side>, size_t> last_attaches_;
  std::vector<News> history_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_TABLES_H_
