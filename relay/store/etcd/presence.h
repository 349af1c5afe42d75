// Where this relay wants etcd to have its sides attached. Pure; one thread.
//
// A pending write concerns one side of one channel, which its initiator names: a stream of the side
// is here, or none is any more. It is a wish and no call: the store compares it with what etcd has,
// as often as that takes, and a newer write takes the place of an older one. So a write waits for
// no call and holds none up, and never concerns a later channel with the id. When a write is given
// up, or its answer is lost, what etcd has got of it is taken back.
#ifndef WORMHOLE_RELAY_STORE_ETCD_PRESENCE_H_
#define WORMHOLE_RELAY_STORE_ETCD_PRESENCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "relay/channel/record.h"
#include "relay/store/etcd/call.h"
#include "relay/store/etcd/channel_state.h"

namespace wormhole::relay {

class EtcdPresence {
 public:
  // A stream is here, in place of those at other relays that were known of at the revision `known`
  // (none: in place of all); or none is any more.
  void Attach(const ChannelRef& channel, Role role, std::optional<int64_t> known);
  void Detach(const ChannelRef& channel, Role role);
  // As Detach, of a side that has left: nobody asks where it is.
  void Leave(const ChannelRef& channel, Role role);
  // The channel has ended, and etcd has deleted the keys with it.
  void Drop(const ChannelKey& key);

  // A record brings sides along. Until it is answered, nothing else is written of them. Returns the
  // numbers of the writes.
  using Numbers = PerRole<uint64_t>;
  Numbers BringAlong(const ChannelRef& channel, RoleSet roles);
  // etcd has written the record at `revision`: with the side's presence (`said`), if there was a
  // lease, and the lease still lasts or not.
  struct WithRecord {
    int64_t revision = 0;
    bool said = false;
    bool lasts = false;
  };
  void RecordWritten(const ChannelRef& channel, Role role, const WithRecord& with);
  // The record was answered. Unless it was `put`, nothing is to be left at etcd of its writes.
  void RecordAnswered(const ChannelRef& channel, RoleSet roles, const Numbers& numbers, bool put);

  // etcd has the side as attached here, perhaps without a wish for it.
  void Found(const ChannelRef& channel, Role role);
  // The lease is gone, and the keys with it.
  void WriteAgain();
  // etcd was restored: what was known of revisions is of a history that is no more.
  void Rewind();

  bool empty() const { return pending_.empty(); }
  // The next channels with pending writes, at most `limit`. Passes over a `busy` one, which is then
  // among the first of the next time. Goes round, so that each channel comes to be written however
  // many change all the time.
  std::vector<ChannelKey> NextPending(size_t limit,
                                      const std::function<bool(const ChannelKey&)>& busy);
  // NextPending has passed over the channel, which still waits: it is not to be busy the next time.
  bool PassedOver(const ChannelKey& key) const;
  // The channel's pending writes, as calls for a transaction. They are under way until Finish.
  EtcdCalls Take(const ChannelKey& key);
  // `calls` were taken. The last of them, in `left`, are to be planned again. `state` is what is
  // known of the channel now.
  void Finish(const ChannelKey& key, const EtcdCalls& calls, const EtcdCalls& left,
              const ChannelState& state, std::string_view relay_id);

  // Whether the stream here is newer than what another relay has written at `revision`.
  bool IsNewer(const ChannelRef& channel, Role role, int64_t revision) const;

 private:
  using Name = std::tuple<ChannelKey, std::string, Role>;  // with the initiator
  struct Write {
    bool attached = false;
    // etcd had it, and its key has gone with the lease: another relay's stream that has attached
    // meanwhile is newer.
    bool renewal = false;
    std::optional<int64_t> known;  // as of Attach
    bool said = false;             // etcd has it so, or has a newer one
    int64_t said_at = 0;           // the revision; 0: it is a newer one that etcd has
    int records = 0;               // under way, that bring it along
    int attempts = 0;
    uint64_t number = 0;
  };

  Write& Renew(const Name& name, bool attached);
  // To be written, unless etcd has it or a record is under way.
  void MakePending(const Name& name, const Write& write);
  void Forget(const Name& name);
  bool IsPending(const ChannelKey& key) const;

  std::map<Name, Write> writes_;
  std::set<Name> pending_;  // those that are to be written, and are not under way
  std::set<ChannelKey> passed_over_;
  std::optional<ChannelKey> last_;  // at which the last NextPending ended its round
  uint64_t numbers_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_PRESENCE_H_
