// Who may connect: caps on connections, in all and for each address. Pure.
//
// gRPC owns a connection once it has it, and does not say when it has closed it. So the counts here
// are of connections that were open at the last check. Before somebody is refused because of these,
// the caller checks them again, see Suspects.
#ifndef WORMHOLE_RELAY_ACCEPT_CONNECTION_LIMITS_H_
#define WORMHOLE_RELAY_ACCEPT_CONNECTION_LIMITS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "proto/net/address.h"

namespace wormhole::relay {

struct ConnectionCaps {
  size_t in_all = 0;
  size_t per_address = 0;
  // Nobody is refused when all places are taken: an older connection gives way to the newest (see
  // ConnectionLimits::GiveWay), and `per_address` does not count. For ports whose callers are
  // through in milliseconds, and have to get in whoever else holds connections.
  bool oldest_gives_way = false;
};

// A number is given to the next connection once its own has closed, a cookie never again.
struct ConnectionId {
  int number = -1;  // the descriptor's
  uint64_t cookie = 0;

  friend bool operator==(const ConnectionId&, const ConnectionId&) = default;
};

// The last quarter of all is for those who have few, or three addresses would lock out everybody
// else; unless one address may have them all anyway. A /48 of IPv6, which a site or a few hundred
// homes are given, may have twice what an address may, and has few only if all of it has.
//
// Not thread-safe. Its memory is bounded by the cap on all: an address without a connection is
// forgotten.
class ConnectionLimits {
 public:
  enum class Verdict {
    kAdmit,
    kGiveWay,  // it is let in, and the connection that GiveWay names goes
    kTooManyInAll,
    kTooManyFromAddress
  };

  // What is few.
  static constexpr size_t kFew = 64;

  explicit ConnectionLimits(ConnectionCaps caps) : caps_(caps) {}

  // What counts as one address: that of IPv4, and a /64 of IPv6, which is what one host is given.
  static net::Address Counted(const net::Address& address);

  // Whether one more may come from `from`. The caps on the address and its /48 speak before that on
  // all. Where the oldest gives way it is refused only while as many as there are places have given
  // way and are still open, so that there are twice as many descriptors at most.
  Verdict Judge(const net::Address& from) const;

  // The connection that has to go: of the /48 that has the most, and in it of the address that has
  // the most, the oldest. So who takes all places for himself loses his own, and the one connection
  // of somebody else stays. None when there are no connections. It counts no more, but for Judge's
  // exception, and the caller ends it. Walks through all of them: for caps of some hundred.
  std::optional<ConnectionId> GiveWay();

  // Of what use a connection is to anybody. kNotYet: of none, but it is so young that it may come
  // to be.
  enum class Use { kInUse, kNotYet, kNone };
  using UseOf = std::function<Use(const ConnectionId&)>;

  // Asks for the use of each connection, for MakeRoom. Not, if it did so lately that somebody who
  // knocks all the time would keep the thread busy.
  void FindUnused(absl::Duration now, const UseOf& use_of);

  // The connection that has to go so that one from `newcomer` may come, by what FindUnused has
  // found; it counts no more, and the caller ends it. Of those of no use: of the /48 that has the
  // most of these, and in it of the address that has the most, the oldest. So a thousand behind one
  // address, who all use what they have, have less to lose than one who holds ten that he does not.
  // With `also_young`, when there is no such one, in the same order one that is of no use yet, but
  // only for a newcomer who would then have fewer of these, or as many (of one /48: by address):
  // else whoever makes his anew all the time would keep everybody out, and each of two would end
  // the other's for ever.
  //
  // The last quarter of all stays with those who have few: while the others have the rest, one of
  // these goes for none of them, and a young one never.
  //
  // None: there is none, or not among the first 64; or so many are on their way out that
  // descriptors could become short.
  std::optional<ConnectionId> MakeRoom(const net::Address& newcomer, bool also_young,
                                       const UseOf& use_of);

  // So many more are open, which nobody knows the client of yet: they count among all.
  void SetNameless(size_t count) { nameless_ = count; }
  // Whether one more of these may come.
  Verdict JudgeNameless() const;

  // The connections that a refusal by `verdict` rests on. The caller tells Closed of those that the
  // kernel does not know any more, and judges again. None, if they were checked so lately that
  // another check would let somebody who knocks all the time keep the thread busy: it checks some
  // 50,000 a second for each address that is at its cap.
  std::vector<ConnectionId> Suspects(Verdict verdict, const net::Address& from, absl::Duration now);

  // Those of one address.
  std::vector<ConnectionId> Of(const net::Address& address) const;

  // It has been handed over. A connection with the same number has closed.
  void Opened(ConnectionId id, const net::Address& from);

  // The connection with this number, if there is one, has closed.
  void Closed(int number);

  // The next `most` connections, in turn, so that a caller who asks again and again checks all of
  // them, although nobody is refused.
  std::vector<ConnectionId> NextInTurn(size_t most);

  size_t count() const { return connections_.size(); }
  size_t addresses() const { return sources_[kAddress].size(); }

 private:
  // An address, and the site that it is in: a /48; of IPv4 the address again.
  static constexpr size_t kAddress = 0;
  static constexpr size_t kSite = 1;
  static constexpr size_t kWidths = 2;

  // One of a source's connections.
  struct Place {
    net::Address network;
    size_t at;  // in the source's numbers
  };
  struct Connection {
    uint64_t cookie;
    uint64_t turn;  // the later it was opened, the higher
    std::array<Place, kWidths> places;
  };
  struct Source {
    std::vector<int> numbers;
    // At the last FindUnused, without those that MakeRoom has let go since, and with those that
    // have come since: of these nobody knows.
    size_t unused = 0;
    absl::Duration checked_at = -absl::InfiniteDuration();
  };

  // The higher, the sooner it has to go: how many its site has, and its address, and its age. How
  // many of all, or of those of no use.
  using ClaimOnLeaving = std::tuple<size_t, size_t, uint64_t>;
  ClaimOnLeaving Claim(const Connection& connection, size_t (*count)(const Source&)) const;
  Source& SourceOf(const Connection& connection, size_t width);

  // Connections of no use, the next one that has to go at the end.
  using Spares = std::vector<std::pair<ClaimOnLeaving, ConnectionId>>;
  Spares& SparesOf(Use use, bool of_few) {
    return spares_[(use == Use::kNotYet ? 2u : 0u) + (of_few ? 1u : 0u)];
  }
  std::optional<ConnectionId> TakeSpare(Use use, const net::Address& newcomer, const UseOf& use_of);
  // Whether the newcomer would have at most as many of no use as the connection's client then has.
  bool HasFewer(const net::Address& newcomer, const Connection& connection);
  size_t UnusedOf(const net::Address& from, size_t width) const;
  void Leave(const ConnectionId& id);
  static net::Address Network(const net::Address& address, size_t width);
  size_t Cap(size_t width) const;
  size_t Count(const net::Address& from, size_t width) const;
  // What those may fill who have not few.
  size_t Common() const;
  Verdict JudgeWhereOldestGivesWay() const;
  bool HasRoom(size_t room) const { return count() + nameless_ < room; }

  const ConnectionCaps caps_;
  uint64_t turns_ = 0;
  size_t nameless_ = 0;
  std::map<int, Connection> connections_;  // by number
  std::map<int, uint64_t> leaving_;        // those that have given way, their cookies by number
  std::array<absl::flat_hash_map<net::Address, Source>, kWidths> sources_;
  absl::Duration all_checked_at_ = -absl::InfiniteDuration();  // all of them
  absl::Duration unused_at_ = -absl::InfiniteDuration();       // of the last FindUnused
  std::array<Spares, 4> spares_;
  size_t of_many_ = 0;     // at the last FindUnused, and those that came in the place of one of few
  int last_in_turn_ = -1;  // NextInTurn goes on behind it
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ACCEPT_CONNECTION_LIMITS_H_
