#include "relay/channel/id_pool.h"

#include <algorithm>

namespace wormhole::relay {
namespace {

uint32_t PowerOfTen(int exponent) {
  uint32_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

int DigitsOf(uint32_t id) {
  int digits = 1;
  for (; id >= 10; id /= 10) ++digits;
  return digits;
}

}  // namespace

IdsOfLength::IdsOfLength(int digits)
    : first_(PowerOfTen(digits - 1)), size_(9 * first_), begins_{0, size_, size_, size_, size_} {}

uint32_t IdsOfLength::count(IdState state) const {
  const auto part = static_cast<size_t>(state);
  return begins_[part + 1] - begins_[part];
}

IdState IdsOfLength::state(uint32_t id) const {
  const uint32_t position = PositionOf(id - first_);
  size_t part = 0;
  while (position >= begins_[part + 1]) ++part;
  return static_cast<IdState>(part);
}

void IdsOfLength::Set(uint32_t id, IdState wanted) {
  const auto to = static_cast<size_t>(wanted);
  auto part = static_cast<size_t>(state(id));
  if (part == to) return;
  uint32_t position = PositionOf(id - first_);
  // One border after the other moves across the id, once the id is next to it.
  for (; part < to; ++part) {
    const uint32_t last = --begins_[part + 1];
    SwapPositions(position, last);
    position = last;
  }
  for (; part > to; --part) {
    const uint32_t first = begins_[part]++;
    SwapPositions(position, first);
    position = first;
  }
  if (wanted == IdState::kFree) GoHome(position);
}

uint32_t IdsOfLength::at(IdState state, uint32_t index) const {
  return first_ + IdAt(begins_[static_cast<size_t>(state)] + index);
}

// Walking up from `after` takes about size_ / in_use steps for each id that is found.
void IdsOfLength::AppendAbove(uint32_t after, size_t limit, std::vector<uint32_t>& ids) const {
  const uint64_t in_use = size_ - count(IdState::kFree);
  if (limit * size_ < in_use * in_use) {
    const size_t wanted = ids.size() + limit;
    for (uint32_t id = std::max(after + 1, first_); id < first_ + size_; ++id) {
      if (ids.size() == wanted) return;
      if (state(id) != IdState::kFree) ids.push_back(id);
    }
    return;
  }
  for (uint32_t position = begins_[1]; position < size_; ++position) {
    const uint32_t id = first_ + IdAt(position);
    if (id > after) ids.push_back(id);
  }
}

uint32_t IdsOfLength::IdAt(uint32_t position) const {
  const auto found = id_at_.find(position);
  return found == id_at_.end() ? position : found->second;
}

uint32_t IdsOfLength::PositionOf(uint32_t id) const {
  const auto found = position_of_.find(id);
  return found == position_of_.end() ? id : found->second;
}

void IdsOfLength::Place(uint32_t position, uint32_t id) {
  if (position == id) {
    id_at_.erase(position);
    position_of_.erase(id);
  } else {
    id_at_[position] = id;
    position_of_[id] = position;
  }
}

void IdsOfLength::SwapPositions(uint32_t a, uint32_t b) {
  if (a == b) return;
  const uint32_t id_a = IdAt(a);
  const uint32_t id_b = IdAt(b);
  Place(a, id_b);
  Place(b, id_a);
}

// `position` has just become free, and with it the id there: both that id and the one whose own
// position it is go home if they can.
void IdsOfLength::GoHome(uint32_t position) {
  const uint32_t free = count(IdState::kFree);
  const uint32_t home = IdAt(position);
  if (home < free) SwapPositions(position, home);
  const uint32_t owner_position = PositionOf(position);
  if (owner_position < free) SwapPositions(position, owner_position);
}

std::optional<IdPool::Drawn> IdPool::Draw(int min_digits, const RandomBelow& random_below) {
  for (int digits = std::max(1, min_digits); digits <= kMaxIdDigits; ++digits) {
    IdsOfLength& ids = Length(digits);
    for (IdState from : {IdState::kFree, IdState::kSpent}) {
      const uint32_t count = ids.count(from);
      if (count == 0) continue;
      const uint32_t id = ids.at(from, random_below(count));
      ids.Set(id, IdState::kTaken);
      return Drawn{.id = id, .spent = from == IdState::kSpent};
    }
  }
  return std::nullopt;
}

void IdPool::Set(uint32_t id, IdState state) { Length(DigitsOf(id)).Set(id, state); }

IdState IdPool::state(uint32_t id) const {
  const auto& ids = lengths_[DigitsOf(id) - 1];
  return ids ? ids->state(id) : IdState::kFree;
}

uint32_t IdPool::count(IdState state) const {
  uint32_t count = 0;
  for (const auto& ids : lengths_) {
    if (ids) count += ids->count(state);
  }
  return count;
}

std::vector<uint32_t> IdPool::Above(uint32_t after, size_t limit) const {
  std::vector<uint32_t> above;
  // Each length's ids are larger than those of the shorter ones.
  for (const auto& ids : lengths_) {
    if (above.size() >= limit) break;
    if (ids) ids->AppendAbove(after, limit - above.size(), above);
  }
  const size_t kept = std::min(limit, above.size());
  std::partial_sort(above.begin(), above.begin() + static_cast<ptrdiff_t>(kept), above.end());
  above.resize(kept);
  return above;
}

bool IdPool::empty() const {
  return count(IdState::kTaken) == 0 && count(IdState::kResting) == 0 &&
         count(IdState::kSpent) == 0;
}

size_t IdPool::entries() const {
  size_t entries = 0;
  for (const auto& ids : lengths_) {
    if (ids) entries += ids->entries();
  }
  return entries;
}

IdsOfLength& IdPool::Length(int digits) {
  auto& ids = lengths_[digits - 1];
  if (!ids) ids.emplace(digits);
  return *ids;
}

}  // namespace wormhole::relay
