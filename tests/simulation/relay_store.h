// What a simulated relay and the judges need of its store, beside what the switchboard does.
#ifndef WORMHOLE_TESTS_SIMULATION_RELAY_STORE_H_
#define WORMHOLE_TESTS_SIMULATION_RELAY_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "relay/store/store.h"

namespace wormhole::simulation {

struct StorePlan {
  absl::Duration max_commit = absl::Milliseconds(20);
  bool scattered_answers = false;  // which come in any order
  double failing_batches = 0;      // the share that fails, while faults are on
};

struct GroupPlan {
  int relays = 1;                                    // with more than one the store is shared
  absl::Duration max_news = absl::Milliseconds(50);  // how long news are on their way
  // Until a relay stops to hear news for a while, after which it may have missed them; while faults
  // are on.
  absl::Duration mean_watch_life = absl::InfiniteDuration();
  absl::Duration max_deafness = absl::Seconds(5);
  // How long a relay that is gone, or cut off, is taken for attached.
  absl::Duration lease = absl::Seconds(5);
  bool echoes = false;  // a relay is told of its own changes too
  // The store is the shipped one of etcd, over an etcd in virtual time: echoes, words, the order of
  // answers and when it hears again are its own, and a lease may be longer.
  bool etcd = false;
  bool goes_back = false;  // which is restored from a copy, now and then
  // How long what a relay has to say of who is attached may wait beyond everything else.
  absl::Duration max_words;
};

// Whether `after` is of a channel that takes the place of one whose id rests.
inline bool BreaksRest(const std::optional<relay::ChannelSnapshot>& before,
                       const relay::ChannelRecord& after) {
  return before.has_value() && !after.ended() &&
         relay::IdStateOf(before->record) == relay::IdState::kResting;
}

// One relay's end of the store.
class RelayStore : public relay::Store {
 public:
  // The relay's process ends: nobody hears an answer any more.
  virtual void Crash() = 0;
  // The process ends well, and its store with it.
  virtual void Leave() { Crash(); }
  // Away: nothing that is asked of it has an effect, and it says so.
  virtual void SetAway(bool away) = 0;
  // Everything is lost: the store was in memory.
  virtual void Forget() {}
  // The time that the relay goes by, when it is `world` in the world.
  virtual absl::Time WallNow(absl::Time world) { return world; }
};

// What is stored, whatever becomes of relays.
class StoreTruth {
 public:
  virtual ~StoreTruth() = default;
  // Whether `side` is, or was, a member of a channel, also if all relays crash now.
  virtual bool IsDurableMember(const std::string& app_id, const std::string& side) const = 0;
  virtual bool HasChannels() const = 0;
  // How many channels have taken the place of one whose id rested.
  virtual int BrokenRests() const = 0;
  // What the store has done that it should not, so far.
  virtual std::vector<std::string> Wrongs() const { return {}; }
  // Whether a side is said to be attached somewhere.
  virtual bool HasPresence() const { return false; }
  // The other side of the channel that `side` is a member of; empty: it has none.
  virtual std::string PeerOf(const std::string& app_id, const std::string& side) const = 0;
  // How long a side may be said to be attached after its relay has gone.
  virtual absl::Duration Lease() const { return absl::ZeroDuration(); }
  // Since when all relays have been able to hear of each other, as far as the store is concerned;
  // infinite: they are not.
  virtual absl::Duration InTouchSince() const { return absl::ZeroDuration(); }
  // How long they then need to agree which of two streams of a side is the last.
  virtual absl::Duration TimeToAgree() const { return absl::Seconds(1); }
  // Until when what was acknowledged may be lost, since the store was put back to an older copy;
  // nothing: it never was; infinite: some relay has not found out.
  virtual std::optional<absl::Duration> WentBack() const { return std::nullopt; }
  // What is wrong when all has been quiet for a while.
  virtual std::vector<std::string> WrongsAtLast() const { return {}; }
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_RELAY_STORE_H_
