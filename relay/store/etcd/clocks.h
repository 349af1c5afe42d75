// The time that relays over one store go by, found out from what each tells of its clock. Pure; one
// thread.
//
// Each relay writes its time every few seconds under a key of its own, which goes with its
// presence. A relay goes by the time of the eldest one: that whose key was created first. Who has
// joined has taken its time over, so that nobody's changes when it goes, and a clock that is wrong
// is wrong for its own relay alone. A relay that stood still for longer than its key lasts is the
// youngest when it goes on.
//
// What a relay tells may arrive late, which makes its clock look as if it were behind, never ahead.
// So a clock that is ahead is ahead for certain. A relay believes a clock that is behind when that
// has been so for a while. A clock that it hears of for the first time it believes at once, until
// that relay tells again: to go by a time that is behind for a moment ends nothing.
#ifndef WORMHOLE_RELAY_STORE_ETCD_CLOCKS_H_
#define WORMHOLE_RELAY_STORE_ETCD_CLOCKS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "relay/clock/steadied_time.h"

namespace wormhole::relay {

// What a relay tells of its clock.
struct ClockReport {
  absl::Time time;        // what it goes by
  absl::Duration offset;  // see ClockReading
};

std::string WriteClock(const ClockReport& report, std::string_view relay_id);
// Nothing when it is of a version that cannot be read.
std::optional<ClockReport> ReadClock(const std::string& value);

// What was found under a relay's key.
struct ClockSighting {
  std::string key;
  int64_t created = 0;   // the revision
  int64_t modified = 0;  // the revision
  std::optional<ClockReport> report;
};

class GroupClocks {
 public:
  // `own` is this relay's key; each relay writes its own every `interval`.
  GroupClocks(std::string own, absl::Duration interval)
      : own_(std::move(own)), interval_(interval) {}

  // These return by how much the relay's time is to be set forward.
  //
  // All keys there are, which may have been written long ago: nobody writes while etcd is away.
  // `restored`: etcd is at an older state than before.
  absl::Duration TakeAll(const std::vector<ClockSighting>& all, bool restored,
                         const ClockReading& now);
  // One was written just now; or, when it has no `report`, has gone.
  absl::Duration Take(const ClockSighting& one, const ClockReading& now);

  // Whether the time was taken from a key that may have been written long ago, and whose relay was
  // not heard of since: what is made or ended by it may be wrong by as much.
  bool on_loan() const { return loan_.has_value(); }

  // Whether most machines' clocks agree that this one's is wrong; of two that differ, the one of
  // the elder relay counts.
  bool IsOutvoted(const ClockReading& now) const;

 private:
  struct Relay {
    int64_t created = 0;
    int64_t modified = 0;
    absl::Duration offset;
    // Its time less this machine's time since the start, as far as is known: at least that.
    absl::Duration base;
    bool once = false;  // it was heard of once only
    // When it was first heard to be behind this relay, if it always was since; and the latest time
    // that it has told meanwhile.
    std::optional<absl::Duration> behind_since;
    absl::Duration heard_at;
  };

  void Note(Relay& relay, const ClockReport& report, const ClockReading& now);
  const std::pair<const std::string, Relay>* Eldest() const;
  absl::Duration Judge(const ClockReading& now);
  // By how much to set it forward, from this relay's base, to be that elder's.
  absl::Duration Difference(const std::string& key, const Relay& elder, absl::Duration base,
                            absl::Duration offset);

  const std::string own_;
  const absl::Duration interval_;
  int64_t own_created_ = 0;              // 0: this relay's key is not there yet
  std::map<std::string, Relay> others_;  // by key
  // What was taken from a clock that was behind, and was heard of once only: its key may have been
  // written long ago.
  struct Loan {
    std::string key;
    absl::Duration by;
  };
  std::optional<Loan> loan_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_CLOCKS_H_
