// Which networks of clients do the most here. Pure: the time comes from outside.
//
// A network is a /24 of IPv4 or a /48 of IPv6; addresses themselves are not kept. Its loudness is
// what it has done lately (connections, streams, refusals), a thing of ten minutes ago counting
// half, and the streams and channels that it has now; who lets it have these bounds them.
//
// Memory is bounded whatever the number of networks, by Space-Saving: when a network comes that is
// not tracked and there is no place left, it takes that of the quietest one, and with it that one's
// loudness, by which its own is overstated. So of all that was done, W, a network that has done
// more than W/kTracked is always tracked, and none is overstated by more than W/kTracked. Whoever
// comes from many networks displaces only those who do less than each of his.
#ifndef WORMHOLE_RELAY_MONITOR_LOUDEST_NETWORKS_H_
#define WORMHOLE_RELAY_MONITOR_LOUDEST_NETWORKS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "proto/net/address.h"

namespace wormhole::relay {

struct NetworkView {
  // `192.0.2.0/24`, `2001:db8::/48`; `unix` are clients without an address.
  std::string network;
  // What follows is counted since then; unset (InfiniteFuture) with a network that is only known by
  // what it has now.
  absl::Time since = absl::InfiniteFuture();
  uint64_t connections = 0;
  uint64_t streams = 0;
  // By reason, in the order of the first of each.
  std::vector<std::pair<std::string_view, uint64_t>> refused;
  size_t streams_now = 0;
  size_t channels_now = 0;
  double loudness = 0;
  double overstated_by = 0;
};

// Not thread-safe. `now` never goes back.
class LoudestNetworks {
 public:
  static constexpr size_t kTracked = 1024;
  static constexpr absl::Duration kHalfLife = absl::Minutes(10);

  // All take a client's whole address; unspecified: it has none.
  void Connected(const net::Address& client, absl::Time now);
  void StreamBegan(const net::Address& client, absl::Time now);
  // Of one that has begun.
  void StreamOver(const net::Address& client);
  // A channel that it has allocated is active, or is no more. These may come the other way round.
  void ChannelBegan(const net::Address& client);
  void ChannelEnded(const net::Address& client);
  // `reason` lives as long as this. There are a few of them.
  void Refused(const net::Address& client, std::string_view reason, absl::Time now);

  // The `most` loudest ones, the loudest first.
  std::vector<NetworkView> List(size_t most, absl::Time now) const;

 private:
  struct Entry {
    net::Address network;
    absl::Time since;
    // In units of what a thing at `epoch_` counts.
    double weight = 0;
    double overstated_by = 0;
    uint64_t connections = 0;
    uint64_t streams = 0;
    std::vector<std::pair<std::string_view, uint64_t>> refused;
  };

  // What it has now. Both 0: it is forgotten.
  struct Held {
    ptrdiff_t streams = 0;
    ptrdiff_t channels = 0;

    static size_t Shown(ptrdiff_t count) {
      return static_cast<size_t>(std::max<ptrdiff_t>(0, count));
    }
    size_t shown() const { return Shown(streams) + Shown(channels); }
  };

  // For the list; the louder one is less, and of two the lower address.
  struct Candidate {
    double loudness = 0;
    const net::Address* network = nullptr;
    const Entry* entry = nullptr;  // null: none
    const Held* held = nullptr;    // null: it has nothing

    friend bool operator<(const Candidate& a, const Candidate& b) {
      return std::tie(b.loudness, *a.network) < std::tie(a.loudness, *b.network);
    }
  };

  void Hold(const net::Address& client, ptrdiff_t Held::*what, ptrdiff_t step);
  static NetworkView View(const Candidate& candidate, double unit);
  // The network's entry, after one more thing.
  Entry& Count(const net::Address& client, absl::Time now);
  // The number of the entry of a network that has none yet.
  size_t Place(const net::Address& network, absl::Time now);
  // What a thing counts now.
  double Weight(absl::Time now) const;
  // Begins an epoch with which weights stay within what a double can hold.
  void Renew(absl::Time now);

  absl::Time epoch_ = absl::InfinitePast();
  std::vector<Entry> entries_;
  absl::flat_hash_map<net::Address, size_t> numbers_;  // in entries_, by network
  std::set<std::pair<double, size_t>> order_;     // of the entries by weight, and their numbers
  absl::flat_hash_map<net::Address, Held> held_;  // by network; those that have something
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_MONITOR_LOUDEST_NETWORKS_H_
