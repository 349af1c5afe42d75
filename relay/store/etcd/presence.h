// What this relay wants etcd to say of where sides are attached. Pure; one thread.
//
// A word is of one side of one channel, which is named by its initiator: a stream of it is here, or
// none is any more. It is a wish and no call: the store compares it with what etcd has, as often as
// it takes, and a newer word takes the place of an older one. So words wait for nobody and hold
// nobody up, none is said of a later channel with the id, and what etcd has got of a word that is
// given up, or whose answer was lost, is taken back.
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
  // A stream is here, in place of those that others were known of at the revision `known` (none: of
  // all); or none is any more.
  void Attach(const ChannelRef& channel, Role role, std::optional<int64_t> known);
  void Detach(const ChannelRef& channel, Role role);
  // The same of a side of which nobody asks any more where it is.
  void Leave(const ChannelRef& channel, Role role);
  // The channel is over, and the keys are gone with it.
  void Drop(const ChannelKey& key);

  // A record that brings sides along, until it is known what has become of it: nothing is said of
  // them meanwhile. Numbers of the words, by role.
  using Numbers = PerRole<uint64_t>;
  Numbers Bring(const ChannelRef& channel, RoleSet roles);
  // It was written at `revision`: with the word, if there was a lease, which still lasts or not.
  struct Saying {
    int64_t revision = 0;
    bool said = false;
    bool lasts = false;
  };
  void Brought(const ChannelRef& channel, Role role, const Saying& saying);
  // It was answered. Unless it was `put`, nothing is to be left of its words.
  void Landed(const ChannelRef& channel, RoleSet roles, const Numbers& numbers, bool put);

  // etcd has this relay's word, perhaps without a wish for it.
  void Found(const ChannelRef& channel, Role role);
  // The lease is gone, and the keys with it.
  void SayAgain();
  // What was known of revisions is of a history that is no more.
  void Rewind();

  bool empty() const { return open_.empty(); }
  // The next channels of which something is to be said, at most so many. A `busy` one is passed
  // over, and is among the first of the next time. Goes round, so that each has its turn however
  // many change their words all the time.
  std::vector<ChannelKey> Turn(size_t limit, const std::function<bool(const ChannelKey&)>& busy);
  // It was passed over, and still waits: it is not to be busy the next time.
  bool PassedOver(const ChannelKey& key) const;
  // What is to be said of it, as calls for a part. They are under way until Finish.
  EtcdCalls Take(const ChannelKey& key);
  // `calls` were taken, and the last of them, in `left`, are to be planned again. `image` is what
  // is known of the channel now; `writer` is this relay.
  void Finish(const ChannelKey& key, const EtcdCalls& calls, const EtcdCalls& left,
              const ChannelState& state, std::string_view relay_id);

  // Whether the stream here is newer than a word that another relay has written at `revision`.
  bool IsNewer(const ChannelRef& channel, Role role, int64_t revision) const;

 private:
  using Name = std::tuple<ChannelKey, std::string, Role>;  // with the initiator
  struct Word {
    bool attached = false;
    // It was said, and its key has gone with the lease: whoever has come meanwhile is newer.
    bool renewal = false;
    std::optional<int64_t> known;  // as of Attach
    bool said = false;             // etcd has it so, or has a newer one
    int64_t said_at = 0;           // the revision; 0: it is a newer one that etcd has
    int records = 0;               // under way, that bring it along
    int attempts = 0;
    uint64_t number = 0;
  };

  Word& Renew(const Name& name, bool attached);
  // To be said, unless it is or a record is under way.
  void Open(const Name& name, const Word& word);
  void Forget(const Name& name);
  bool IsOpen(const ChannelKey& key) const;

  std::map<Name, Word> words_;
  std::set<Name> open_;  // those that are to be said, and are not under way
  std::set<ChannelKey> passed_over_;
  std::optional<ChannelKey> last_;  // at which the last Turn ended its round
  uint64_t numbers_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_PRESENCE_H_
