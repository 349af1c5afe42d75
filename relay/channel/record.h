// The values of a channel: who its members are, what is in their logs, how it is named. All that
// stores see of it; what may be done with it is in rules.h. Pure, no locks.
#ifndef WORMHOLE_RELAY_CHANNEL_RECORD_H_
#define WORMHOLE_RELAY_CHANNEL_RECORD_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "proto/wire/limits.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::relay {

using rendezvous::v1::Mood;

enum class Role : uint8_t { kInitiator = 0, kReceiver = 1 };

constexpr Role Other(Role role) {
  return role == Role::kInitiator ? Role::kReceiver : Role::kInitiator;
}

inline constexpr std::array<Role, 2> kRoles = {Role::kInitiator, Role::kReceiver};

// One value for each role.
template <typename T>
struct PerRole {
  std::array<T, 2> values = {};  // in the order of Role

  constexpr T& operator[](Role role) { return values[static_cast<size_t>(role)]; }
  constexpr const T& operator[](Role role) const { return values[static_cast<size_t>(role)]; }

  constexpr auto begin() { return values.begin(); }
  constexpr auto end() { return values.end(); }
  constexpr auto begin() const { return values.begin(); }
  constexpr auto end() const { return values.end(); }

  friend bool operator==(const PerRole&, const PerRole&) = default;
};

// A set of roles.
class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr explicit RoleSet(Role role) { Add(role); }

  constexpr bool contains(Role role) const { return has_[role]; }
  constexpr bool empty() const { return *this == RoleSet(); }
  constexpr void Add(Role role) { has_[role] = true; }
  constexpr void Remove(Role role) { has_[role] = false; }

  friend constexpr bool operator==(const RoleSet&, const RoleSet&) = default;

 private:
  PerRole<bool> has_;
};

using wire::kMaxChannelId;

// Names a channel. Ids are scoped by app-id.
struct ChannelKey {
  std::string app_id;
  uint32_t id = 0;

  friend bool operator==(const ChannelKey&, const ChannelKey&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy misreads comparisons that use it.
  friend auto operator<=>(const ChannelKey&, const ChannelKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ChannelKey& key) {
    return H::combine(std::move(h), key.app_id, key.id);
  }
};

struct Member {
  std::string side;  // 16 bytes; empty: nobody has this role yet
  bool left = false;

  friend bool operator==(const Member&, const Member&) = default;
};

enum class Life : uint8_t { kActive = 0, kClosed = 1, kExpired = 2 };

// A channel's membership and life: what the version covers.
struct ChannelRecord {
  uint64_t version = 0;  // 1 when first stored, one more with each change; 0: not stored
  bool named = false;    // the id was asked for by name, not drawn
  Life life = Life::kActive;
  Mood ended_by = rendezvous::v1::MOOD_UNSPECIFIED;  // with kClosed
  // Whole microseconds, as stores keep them; due_at likewise.
  absl::Time created_at;
  // When the store should bring this channel up again (Store::Due): the expiry of an active
  // channel, the end of the quarantine of an ended one.
  absl::Time due_at;
  PerRole<Member> members;

  const Member& member(Role role) const { return members[role]; }
  Member& member(Role role) { return members[role]; }
  bool ended() const { return life != Life::kActive; }

  friend bool operator==(const ChannelRecord&, const ChannelRecord&) = default;
};

// What the record of a channel that is kept says of its id.
enum class IdState : uint8_t {
  kFree,     // there is no such channel
  kSpent,    // in quarantine; the channel's two members have both closed it happily
  kResting,  // in quarantine after any other ending
  kTaken,
};

inline IdState IdStateOf(const ChannelRecord& record) {
  if (!record.ended()) return IdState::kTaken;
  const bool spent = record.life == Life::kClosed &&
                     record.ended_by == rendezvous::v1::MOOD_HAPPY &&
                     record.member(Role::kInitiator).left && record.member(Role::kReceiver).left;
  return spent ? IdState::kSpent : IdState::kResting;
}

// Whether both are of one channel, if they have the same id.
inline bool HasSameInitiator(const ChannelRecord& a, const ChannelRecord& b) {
  return a.member(Role::kInitiator).side == b.member(Role::kInitiator).side;
}

// Whether `next` was made at the time of `stored`, and has every member of it, and whoever has left
// there has left. All records of a channel that follow one another do. One that does not is of
// another channel with the id, or of a time that the store knows no more, since it was put back to
// an older copy.
inline bool Continues(const ChannelRecord& stored, const ChannelRecord& next) {
  if (stored.created_at != next.created_at) return false;
  return std::all_of(kRoles.begin(), kRoles.end(), [&](Role role) {
    const Member& member = stored.member(role);
    if (member.side.empty()) return true;
    return member.side == next.member(role).side && (next.member(role).left || !member.left);
  });
}

// Names one of the channels that have had an id one after the other, by its initiator's side, which
// belongs to no other; and its receiver, who is another one when the store was put back to an older
// copy and somebody else came first. An empty side: whoever has the place, or nobody.
struct ChannelRef {
  // NOLINTNEXTLINE(google-explicit-constructor): a key names whichever channel has the id.
  ChannelRef(ChannelKey channel_key, std::string initiator_side = "",
             std::string receiver_side = "")
      : key(std::move(channel_key)),
        initiator(std::move(initiator_side)),
        receiver(std::move(receiver_side)) {}

  // Whether `record`, which has the id, is that of this channel.
  bool Names(const ChannelRecord& record) const {
    return (initiator.empty() || initiator == record.member(Role::kInitiator).side) &&
           (receiver.empty() || receiver == record.member(Role::kReceiver).side);
  }

  ChannelKey key;
  std::string initiator;
  std::string receiver;
};

// One side's log, seen from outside. Frames (forgotten, stored] are kept.
struct LogState {
  uint64_t stored = 0;     // number of the last stored frame
  uint64_t forgotten = 0;  // number of the last frame that was let go; <= stored
  uint64_t accepted = 0;   // the reader's cursor; may exceed `stored`
  uint64_t bytes = 0;      // of the frames that are kept

  friend bool operator==(const LogState&, const LogState&) = default;
};

struct ChannelSnapshot {
  ChannelRecord record;
  PerRole<LogState> logs;  // by author
  // A stream of it is attached at another relay over the same store. (StoreListener's
  // OnPresence says when that counts.)
  PerRole<bool> remote;
  // One has attached there after the last that attached here, and may be gone since. It
  // has superseded what is here.
  PerRole<bool> superseded;

  const LogState& log(Role author) const { return logs[author]; }
  LogState& log(Role author) { return logs[author]; }
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CHANNEL_RECORD_H_
