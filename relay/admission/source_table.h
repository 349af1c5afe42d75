// What is known of those who came lately, by address or network: how often each did what, and what
// it holds. Pure.
#ifndef WORMHOLE_RELAY_ADMISSION_SOURCE_TABLE_H_
#define WORMHOLE_RELAY_ADMISSION_SOURCE_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "proto/net/address.h"

namespace wormhole::relay {

// What an address does that is counted by the minute.
enum class Act : uint8_t { kConnect, kOpenStream, kAllocate, kClaim, kFailClaim };
inline constexpr size_t kActs = 5;

// One value for each act.
template <typename T>
struct PerAct {
  std::array<T, kActs> values = {};  // in the order of Act

  T& operator[](Act act) { return values[static_cast<size_t>(act)]; }
  const T& operator[](Act act) const { return values[static_cast<size_t>(act)]; }
};

// How often each act may be done in a minute, and at once. 0: as often as it likes.
using ActLimits = PerAct<uint32_t>;

// What an address holds.
struct Holdings {
  uint32_t streams = 0;
  uint32_t channels = 0;  // that it has allocated
  uint32_t calls = 0;     // that do not stay

  bool none() const { return streams == 0 && channels == 0 && calls == 0; }
};

// Token buckets, one for each act of each source, in the form of the generic cell rate algorithm:
// all that is kept of a bucket is when it will be full again (ITU-T I.371, annex A).
//
// Its memory is bounded, whatever comes. A full bucket says nothing, and is forgotten first. When
// `capacity` sources with others are remembered, the one that would be full soonest is forgotten
// for a newcomer who would be full later: so each time an address is forgotten, it regains less
// than one act, and an address that has used up its bucket is forgotten after all others. A
// newcomer for whom nobody is forgotten has a bucket together with many others (`kCrowds` in all,
// by the wider network), so that the addresses beyond the capacity are no way around the limits.
// Sources that hold something are remembered beside those, always; who lets them hold it bounds
// them. When they hold nothing any more they take a place as a newcomer would, or the one that
// would be full soonest goes: whoever is forgotten then has done no more than each of `capacity`
// others.
//
// Not thread-safe. Each call takes time in proportion to the logarithm of the capacity.
class SourceTable {
 public:
  static constexpr size_t kCrowds = 1024;
  // How many times the limit of one source a crowd may do.
  static constexpr uint32_t kCrowdFactor = 16;

  // `wide`: how many of the first bits of IPv4 and IPv6 the addresses of a crowd have in common.
  struct CrowdBits {
    int v4 = 16;
    int v6 = 32;
  };

  // `capacity`: at least 1.
  SourceTable(const ActLimits& limits, size_t capacity, CrowdBits crowd_bits);
  SourceTable(const SourceTable&) = delete;
  SourceTable& operator=(const SourceTable&) = delete;

  // How long until `source` may do this once more; zero: it may now. `now` never goes back.
  absl::Duration Wait(const net::Address& source, Act act, absl::Duration now) const;
  // It has done it so many times, whether it should or not. Nobody owes more than two minutes'
  // worth.
  void Note(const net::Address& source, Act act, absl::Duration now, uint32_t times = 1);

  // Of a source of which nothing is known: none.
  Holdings Held(const net::Address& source) const;
  // A source that holds nothing any more is kept for its buckets alone.
  void SetHeld(const net::Address& source, Holdings held, absl::Duration now);

  size_t size() const { return sources_.size(); }

 private:
  struct Source;
  using Sources = absl::flat_hash_map<net::Address, Source>;
  // By when the last of its buckets is full.
  using Order = std::multimap<absl::Duration, net::Address>;

  // When each bucket is full. In the past: it is.
  using Buckets = PerAct<absl::Duration>;

  struct Source {
    Buckets full_at;
    Holdings held;
    std::optional<Order::iterator> place;  // none while it holds something
  };

  // What one act takes from a bucket, in time until it is full again.
  absl::Duration Cost(Act act) const { return costs_[act]; }
  static absl::Duration WaitFor(absl::Duration full_at, absl::Duration cost, absl::Duration now);
  static absl::Duration Later(absl::Duration full_at, absl::Duration cost, absl::Duration now);
  static absl::Duration FullAt(const Source& source);
  size_t CrowdOf(const net::Address& source) const;
  // Whether a newcomer whose buckets are full then is remembered.
  bool HasRoom(absl::Duration full_at, absl::Duration now) const;
  void ForgetFull(absl::Duration now);
  void Forget(Order::iterator place);
  void Reorder(const net::Address& address, Source& source);

  const size_t capacity_;
  const CrowdBits crowd_bits_;
  PerAct<absl::Duration> costs_;
  Sources sources_;
  Order order_;  // of those that hold nothing
  std::vector<Buckets> crowds_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ADMISSION_SOURCE_TABLE_H_
