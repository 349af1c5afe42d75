#include "relay/store/etcd/clocks.h"

#include <algorithm>
#include <limits>

#include "etcd_values.pb.h"

namespace wormhole::relay {
namespace {

constexpr absl::Duration kNone = absl::ZeroDuration();

bool Agree(absl::Duration a, absl::Duration b) {
  return absl::AbsDuration(a - b) <= kClockTolerance;
}

absl::Duration BaseOf(absl::Time time, const ClockReading& now) {
  return time - absl::UnixEpoch() - now.boot;
}

}  // namespace

std::string WriteClock(const ClockReport& report, std::string_view relay_id) {
  store::ClockValue value;
  value.set_relay_id(std::string(relay_id));
  value.set_now(absl::ToUnixMicros(report.time));
  value.set_offset(absl::ToInt64Microseconds(report.offset));
  return value.SerializeAsString();
}

std::optional<ClockReport> ReadClock(const std::string& value) {
  store::ClockValue read;
  if (!read.ParseFromString(value) || read.now() == 0) return std::nullopt;
  return ClockReport{.time = absl::FromUnixMicros(read.now()),
                     .offset = absl::Microseconds(read.offset())};
}

absl::Duration GroupClocks::TakeAll(const std::vector<ClockSighting>& all, bool restored,
                                    const ClockReading& now) {
  std::map<std::string, Relay> before = std::exchange(others_, {});
  if (restored) before.clear();
  own_created_ = 0;
  for (const ClockSighting& one : all) {
    if (one.key == own_) {
      // That of a copy is another one's, as long as it was not written anew.
      if (!restored) own_created_ = one.created;
      continue;
    }
    if (!one.report) continue;
    const auto known = before.find(one.key);
    const bool is_known = known != before.end() && known->second.created == one.created;
    Relay& relay = others_[one.key] = is_known ? known->second : Relay{.once = !restored};
    if (is_known && relay.modified == one.modified) continue;
    if (is_known) {  // it has told since, so that what was taken from its first report is its own
      relay.once = false;
      if (loan_ && loan_->key == one.key) loan_.reset();
    }
    relay.created = one.created;
    relay.modified = one.modified;
    Note(relay, *one.report, now);
  }
  return Judge(now);
}

absl::Duration GroupClocks::Take(const ClockSighting& one, const ClockReading& now) {
  if (one.key == own_) {
    own_created_ = one.report ? one.created : 0;
    return Judge(now);
  }
  if (!one.report) {
    others_.erase(one.key);
    return Judge(now);
  }
  Relay& relay = others_[one.key];
  const bool is_new = relay.created != one.created;
  if (is_new) relay = {.created = one.created};
  if (one.modified <= relay.modified) return kNone;
  relay.modified = one.modified;
  relay.once = is_new;
  if (loan_ && loan_->key == one.key) loan_.reset();  // its report tells
  Note(relay, *one.report, now);
  return Judge(now);
}

void GroupClocks::Note(Relay& relay, const ClockReport& report, const ClockReading& now) {
  const absl::Duration base = BaseOf(report.time, now);
  const bool behind = base < BaseOf(now.time, now) - kClockTolerance;
  relay.offset = report.offset;
  // Of two late words the later one is nearer to the truth.
  relay.base = behind && relay.behind_since ? std::max(relay.base, base) : base;
  if (!behind) relay.behind_since.reset();
  if (behind && !relay.behind_since) relay.behind_since = now.boot;
  relay.heard_at = now.boot;
}

const std::pair<const std::string, GroupClocks::Relay>* GroupClocks::Eldest() const {
  const std::pair<const std::string, Relay>* eldest = nullptr;
  for (const auto& entry : others_) {
    if (own_created_ != 0 && entry.second.created > own_created_) continue;
    if (eldest == nullptr || entry.second.created < eldest->second.created) eldest = &entry;
  }
  return eldest;
}

absl::Duration GroupClocks::Judge(const ClockReading& now) {
  const auto* const eldest = Eldest();
  absl::Duration by;
  // It was not heard of again: whoever has written that was gone already.
  if (loan_ && (eldest == nullptr || eldest->first != loan_->key)) {
    by = -loan_->by;
    loan_.reset();
  }
  if (eldest == nullptr) return by;
  return by +
         Difference(eldest->first, eldest->second, BaseOf(now.time, now) + by, now.offset + by);
}

absl::Duration GroupClocks::Difference(const std::string& key, const Relay& elder,
                                       absl::Duration base, absl::Duration offset) {
  const absl::Duration ahead = elder.base - base;
  if (ahead > kClockTolerance) return ahead;
  if (ahead < -kClockTolerance) {
    if (elder.once) {
      loan_ = {.key = key, .by = ahead};
      return ahead;
    }
    const bool sure = elder.behind_since && elder.heard_at - *elder.behind_since >= interval_;
    return sure ? ahead : kNone;
  }
  // The machine's clock has become right by and by.
  const bool right = offset != kNone && Agree(ahead + offset, kNone);
  return right ? -offset : kNone;
}

bool GroupClocks::IsOutvoted(const ClockReading& now) const {
  struct Vote {
    int64_t created;
    absl::Duration offset;
  };
  std::vector<Vote> votes;
  for (const auto& [key, relay] : others_) votes.push_back({relay.created, relay.offset});
  // Without a key it is the youngest.
  const int64_t last = std::numeric_limits<int64_t>::max();
  votes.push_back({own_created_ != 0 ? own_created_ : last, now.offset});
  std::sort(votes.begin(), votes.end(),
            [](const Vote& a, const Vote& b) { return a.created < b.created; });
  const auto supporters = [&votes](const Vote& vote) {
    return std::count_if(votes.begin(), votes.end(),
                         [&](const Vote& other) { return Agree(other.offset, vote.offset); });
  };
  const auto winner =
      std::max_element(votes.begin(), votes.end(),
                       [&](const Vote& a, const Vote& b) { return supporters(a) < supporters(b); });
  return !Agree(winner->offset, now.offset);
}

}  // namespace wormhole::relay
