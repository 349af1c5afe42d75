// Which channel ids of one app-id are in use, and the draw of a free one (proto/PROTOCOL.md
// section 2, allocation). Pure: randomness comes in from outside.
//
// Every operation takes constant time, whatever is in use. Memory grows with the ids that are not
// free, never with the ids that have been used.
#ifndef WORMHOLE_RELAY_CHANNEL_ID_POOL_H_
#define WORMHOLE_RELAY_CHANNEL_ID_POOL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "relay/channel/id_rules.h"
#include "relay/channel/record.h"

namespace wormhole::relay {

// The ids with one number of digits, as a permutation of all of them in four parts,
//
//   [ free | spent | resting | taken ]
//
// so that a draw reads a random position of a part, and a change of state swaps an id with those
// at the borders on its way. The permutation is kept sparsely: a position that is not
// in the maps holds the id of the same offset. A free id whose own position lies in the free part
// is always there, which bounds the maps by twice the number of ids that are not free.
class IdsOfLength {
 public:
  explicit IdsOfLength(int digits);  // 1 to kMaxIdDigits

  uint32_t count(IdState state) const;
  IdState state(uint32_t id) const;
  void Set(uint32_t id, IdState state);
  // The id at this place of a part, index < count(state).
  uint32_t at(IdState state, uint32_t index) const;
  // Adds the `limit` smallest ids above `after` that are not free, and perhaps others that are not;
  // in no order.
  void AppendAbove(uint32_t after, size_t limit, std::vector<uint32_t>& ids) const;
  // For a bound on memory: entries of both maps.
  size_t entries() const { return id_at_.size() + position_of_.size(); }

 private:
  uint32_t IdAt(uint32_t position) const;
  uint32_t PositionOf(uint32_t id) const;
  void Place(uint32_t position, uint32_t id);
  void SwapPositions(uint32_t a, uint32_t b);
  void GoHome(uint32_t position);

  static constexpr size_t kParts = 4;  // in the order of IdState

  const uint32_t first_;
  const uint32_t size_;
  std::array<uint32_t, kParts + 1> begins_;  // where each part begins, and the last one ends
  // Offsets from first_; only where the two differ.
  absl::flat_hash_map<uint32_t, uint32_t> id_at_;
  absl::flat_hash_map<uint32_t, uint32_t> position_of_;
};

// Ids from 1 to 999,999,999. Not thread-safe.
class IdPool {
 public:
  // Uniform in [0, bound), bound >= 1.
  using RandomBelow = std::function<uint32_t(uint32_t bound)>;

  struct Drawn {
    uint32_t id = 0;
    bool spent = false;  // it was spent: the store still has the ended channel
  };

  // Takes an id of the first length, from `min_digits` (0 is 1) up, that has one: uniformly from
  // the free ones, and only when there is none, from the spent ones. Nothing when all of them are
  // taken or rest.
  //
  // So whoever ends channels, however many and however he does it, makes nobody meet a stranger
  // under an id that somebody may still be told: such an id rests, and longer ones are drawn
  // meanwhile. A spent one leaves nobody to come: an invitation is for two, both have come, and
  // both say that they have got what they wanted. Without it ten exchanges in one quarantine would
  // cost an app-id its one-digit ids.
  std::optional<Drawn> Draw(int min_digits, const RandomBelow& random_below);

  // What is known of an id from elsewhere: 1 <= id <= 999,999,999, from any state to any other.
  void Set(uint32_t id, IdState state);
  IdState state(uint32_t id) const;

  uint32_t count(IdState state) const;  // not of kFree
  // The `limit` smallest ids above `after` that are not free, ascending. Takes time in proportion
  // to all that are not, and less where they lie close together.
  std::vector<uint32_t> Above(uint32_t after, size_t limit) const;

  // All ids are free.
  bool empty() const;
  size_t entries() const;

 private:
  IdsOfLength& Length(int digits);

  std::array<std::optional<IdsOfLength>, kMaxIdDigits> lengths_;  // [digits - 1], made when touched
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CHANNEL_ID_POOL_H_
