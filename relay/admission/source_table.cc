#include "relay/admission/source_table.h"

#include <algorithm>

#include "absl/hash/hash.h"

namespace wormhole::relay {
namespace {

// What a bucket holds is what flows into it in this time.
constexpr absl::Duration kDepth = absl::Minutes(1);
constexpr absl::Duration kMostDebt = absl::Minutes(2);
constexpr absl::Duration kLongAgo = -absl::InfiniteDuration();

}  // namespace

SourceTable::SourceTable(const ActLimits& limits, size_t capacity, CrowdBits crowd_bits)
    : capacity_(capacity), crowd_bits_(crowd_bits) {
  for (size_t act = 0; act < kActs; ++act) {
    const uint32_t limit = limits.values[act];
    costs_.values[act] = limit == 0 ? absl::ZeroDuration() : kDepth / limit;
  }
  Buckets full;
  full.values.fill(kLongAgo);
  crowds_.assign(kCrowds, full);
}

absl::Duration SourceTable::WaitFor(absl::Duration full_at, absl::Duration cost,
                                    absl::Duration now) {
  return std::max(absl::ZeroDuration(), std::max(full_at, now) + cost - kDepth - now);
}

absl::Duration SourceTable::Later(absl::Duration full_at, absl::Duration cost, absl::Duration now) {
  return std::min(std::max(full_at, now) + cost, now + kMostDebt);
}

absl::Duration SourceTable::FullAt(const Source& source) {
  return *std::ranges::max_element(source.full_at.values);
}

size_t SourceTable::CrowdOf(const net::Address& source) const {
  const int bits = source.v6() ? crowd_bits_.v6 : crowd_bits_.v4;
  return absl::Hash<net::Address>()(source.Network(bits)) % kCrowds;
}

bool SourceTable::HasRoom(absl::Duration full_at, absl::Duration now) const {
  if (order_.size() < capacity_) return true;
  const absl::Duration soonest = order_.begin()->first;
  return soonest <= now || soonest < full_at;
}

absl::Duration SourceTable::Wait(const net::Address& source, Act act, absl::Duration now) const {
  const absl::Duration cost = Cost(act);
  if (cost == absl::ZeroDuration()) return absl::ZeroDuration();
  const auto known = sources_.find(source);
  if (known != sources_.end()) return WaitFor(known->second.full_at[act], cost, now);
  if (HasRoom(now + cost, now)) return absl::ZeroDuration();
  return WaitFor(crowds_[CrowdOf(source)][act], cost / kCrowdFactor, now);
}

void SourceTable::Note(const net::Address& source, Act act, absl::Duration now, uint32_t times) {
  const absl::Duration cost = times * Cost(act);
  if (cost == absl::ZeroDuration()) return;
  ForgetFull(now);
  auto known = sources_.find(source);
  if (known == sources_.end()) {
    if (!HasRoom(now + cost, now)) {
      absl::Duration& crowd = crowds_[CrowdOf(source)][act];
      crowd = Later(crowd, cost / kCrowdFactor, now);
      return;
    }
    if (order_.size() >= capacity_) Forget(order_.begin());
    known = sources_.try_emplace(source).first;
    known->second.full_at.values.fill(kLongAgo);
  }
  absl::Duration& full_at = known->second.full_at[act];
  full_at = Later(full_at, cost, now);
  Reorder(source, known->second);
}

Holdings SourceTable::Held(const net::Address& source) const {
  const auto known = sources_.find(source);
  return known == sources_.end() ? Holdings() : known->second.held;
}

void SourceTable::SetHeld(const net::Address& source, Holdings held, absl::Duration now) {
  ForgetFull(now);
  const auto [known, is_new] = sources_.try_emplace(source);
  if (is_new) known->second.full_at.values.fill(kLongAgo);
  known->second.held = held;
  Reorder(source, known->second);
  // Else whoever holds something for a moment would be remembered without a place for it.
  while (order_.size() > capacity_) Forget(order_.begin());
}

void SourceTable::Reorder(const net::Address& address, Source& source) {
  if (source.place) order_.erase(*source.place);
  source.place.reset();
  if (source.held.none()) source.place = order_.emplace(FullAt(source), address);
}

// A few at a time, and more than can have come since.
void SourceTable::ForgetFull(absl::Duration now) {
  constexpr int kAtOnce = 4;
  for (int n = 0; n < kAtOnce && !order_.empty() && order_.begin()->first <= now; ++n) {
    Forget(order_.begin());
  }
}

void SourceTable::Forget(Order::iterator place) {
  sources_.erase(place->second);
  order_.erase(place);
}

}  // namespace wormhole::relay
