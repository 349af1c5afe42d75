#include "relay/admission/admission.h"

#include <algorithm>
#include <utility>

namespace wormhole::relay {
namespace {

// How many times what an address may do and hold, a /48 of IPv6 may.
constexpr uint32_t kSiteFactor = 2;

constexpr SourceTable::CrowdBits kHostCrowds = {.v4 = 16, .v6 = 32};
// What somebody who does what he may for a minute would wait for.
constexpr absl::Duration kTooMuch = absl::Minutes(1);

// A provider is given a /32 or more.
constexpr SourceTable::CrowdBits kSiteCrowds = {.v4 = 16, .v6 = 28};

ActLimits OfSite(ActLimits limits) {
  for (uint32_t& limit : limits.values) limit *= kSiteFactor;
  return limits;
}

net::Address SiteOf(const net::Address& client) { return client.Network(48); }

}  // namespace

Admission::Admission(const AdmissionRules& rules, AdmissionObserver* observer, size_t capacity)
    : rules_(rules),
      observer_(observer),
      hosts_(rules.acts, capacity, kHostCrowds),
      sites_(OfSite(rules.acts), capacity, kSiteCrowds) {}

net::Address Admission::HostOf(const net::Address& client) const {
  return client.v6() && rules_.by_network ? client.Network(64) : client;
}

// What an address of IPv4 is in, nobody can tell.
bool Admission::HasSite(const net::Address& client) const {
  return client.v6() && rules_.by_network;
}

void Admission::SetCutter(Cutter cutter) {
  sync::MutexLock lock(mutex_);
  cutter_ = std::move(cutter);
}

std::optional<Refused> Admission::Connect(const Client& client, absl::Duration now) {
  Verdict verdict;
  {
    sync::MutexLock lock(mutex_);
    verdict = JudgeConnection(client, now);
  }
  return Told(verdict, client, "");
}

std::optional<Refused> Admission::Allocate(const Client& client, const std::string& app_id,
                                           absl::Duration now) {
  Verdict verdict;
  {
    sync::MutexLock lock(mutex_);
    verdict = JudgeAllocation(client, now);
  }
  if (verdict && verdict->why == Refusal::kChannelsOfAddress) return verdict;
  return Told(verdict, client, app_id);
}

std::optional<Refused> Admission::Claim(const Client& client, const std::string& app_id,
                                        absl::Duration now) {
  Verdict verdict;
  {
    sync::MutexLock lock(mutex_);
    verdict = JudgeClaim(client, now);
  }
  return Told(verdict, client, app_id);
}

void Admission::NoteFailedClaim(const Client& client, absl::Duration now) {
  sync::MutexLock lock(mutex_);
  Note(client, Act::kFailClaim, now);
}

void Admission::NoteRefused(Refusal why, const Client& client, const std::string& app_id) const {
  Told(Refused{.why = why, .wait = absl::ZeroDuration()}, client, app_id);
}

std::optional<Refused> Admission::Call(const Client& client, absl::Duration now) {
  Opening opening;
  {
    sync::MutexLock lock(mutex_);
    opening = NoteOpening(client, now);
  }
  if (opening.cut) opening.cut(*client);
  return Told(opening.verdict, client, "");
}

std::optional<Refused> Admission::Enter(const Client& client, absl::Duration now) {
  Opening opening;
  {
    sync::MutexLock lock(mutex_);
    opening = NoteOpening(client, now);
    if (!opening.verdict) opening.verdict = JudgeStream(client);
    if (!opening.verdict) {
      ++streams_;
      Hold(client, &Holdings::streams, +1, now);
    }
  }
  if (opening.cut) opening.cut(*client);
  return Told(opening.verdict, client, "");
}

std::optional<Refused> Admission::EnterBriefly(const Client& client, absl::Duration now) {
  Opening opening;
  {
    sync::MutexLock lock(mutex_);
    opening = NoteOpening(client, now);
    if (!opening.verdict) opening.verdict = JudgeBriefCall(client);
    if (!opening.verdict) {
      ++brief_calls_;
      Hold(client, &Holdings::calls, +1, now);
    }
  }
  if (opening.cut) opening.cut(*client);
  return Told(opening.verdict, client, "");
}

void Admission::LeaveBriefly(const Client& client, absl::Duration now) {
  sync::MutexLock lock(mutex_);
  --brief_calls_;
  Hold(client, &Holdings::calls, -1, now);
}

void Admission::Leave(const Client& client, absl::Duration now) {
  sync::MutexLock lock(mutex_);
  --streams_;
  Hold(client, &Holdings::streams, -1, now);
}

void Admission::NoteAbandoned(const Client& client, absl::Duration now) {
  Cutter cut;
  {
    sync::MutexLock lock(mutex_);
    cut = NoteOpening(client, now, kAbandonedFactor - 1).cut;  // once it has counted already
  }
  if (cut) cut(*client);
}

void Admission::Charge(const Client& client, uint32_t streams, absl::Duration now) {
  sync::MutexLock lock(mutex_);
  Note(client, Act::kOpenStream, now, streams);
}

void Admission::Banish(const Client& client, absl::Duration now) {
  Charge(client, 2 * rules_.acts[Act::kOpenStream], now);
}

void Admission::Began(const std::string& channel, const Client& client, absl::Duration now) {
  if (!client) return;
  {
    sync::MutexLock lock(mutex_);
    if (!channels_.try_emplace(channel, *client).second) return;
    Hold(client, &Holdings::channels, +1, now);
  }
  if (observer_ != nullptr) observer_->OnChannelBegan(*client);
}

void Admission::Ended(const std::string& channel, absl::Duration now) {
  net::Address client;
  {
    sync::MutexLock lock(mutex_);
    const auto known = channels_.find(channel);
    if (known == channels_.end()) return;
    client = known->second;
    Hold(client, &Holdings::channels, -1, now);
    channels_.erase(known);
  }
  if (observer_ != nullptr) observer_->OnChannelEnded(client);
}

void Admission::SetShortOfMemory(bool is_short) {
  sync::MutexLock lock(mutex_);
  short_of_memory_ = is_short;
}

bool Admission::short_of_memory() const {
  sync::MutexLock lock(mutex_);
  return short_of_memory_;
}

size_t Admission::stream_count() const {
  sync::MutexLock lock(mutex_);
  return streams_;
}

size_t Admission::call_count() const {
  sync::MutexLock lock(mutex_);
  return streams_ + brief_calls_;
}

Admission::Verdict Admission::Told(Verdict verdict, const Client& client,
                                   const std::string& app_id) const {
  if (verdict && observer_ != nullptr) {
    observer_->OnRefused(verdict->why, client.value_or(net::Address()), app_id);
  }
  return verdict;
}

absl::Duration Admission::Wait(const Client& client, Act act, absl::Duration now) const {
  if (!client) return absl::ZeroDuration();
  const absl::Duration host = hosts_.Wait(HostOf(*client), act, now);
  if (!HasSite(*client)) return host;
  return std::max(host, sites_.Wait(SiteOf(*client), act, now));
}

void Admission::Note(const Client& client, Act act, absl::Duration now, uint32_t times) {
  if (!client) return;
  hosts_.Note(HostOf(*client), act, now, times);
  if (HasSite(*client)) sites_.Note(SiteOf(*client), act, now, times);
}

Admission::Verdict Admission::Take(const Client& client, Act act, Refusal why, absl::Duration now) {
  const absl::Duration wait = Wait(client, act, now);
  if (wait > absl::ZeroDuration()) return Refused{.why = why, .wait = wait};
  Note(client, act, now);
  return std::nullopt;
}

bool Admission::HoldsAll(const Client& client, uint32_t Holdings::*count, uint32_t limit) const {
  if (!client || limit == 0) return false;
  if (hosts_.Held(HostOf(*client)).*count >= limit) return true;
  return HasSite(*client) && sites_.Held(SiteOf(*client)).*count >= uint64_t{kSiteFactor} * limit;
}

void Admission::Hold(const Client& client, uint32_t Holdings::*count, int step,
                     absl::Duration now) {
  if (!client) return;
  const auto hold = [&](SourceTable& table, const net::Address& source) {
    Holdings held = table.Held(source);
    held.*count += static_cast<uint32_t>(step);
    table.SetHeld(source, held, now);
  };
  hold(hosts_, HostOf(*client));
  if (HasSite(*client)) hold(sites_, SiteOf(*client));
}

Admission::Verdict Admission::JudgeAllocation(const Client& client, absl::Duration now) {
  if (short_of_memory_) return Refused{.why = Refusal::kMemory, .wait = {}};
  // First, since the store is asked whether who has too many channels is here for one of them.
  if (const Verdict fast = Take(client, Act::kAllocate, Refusal::kAllocationRate, now)) return fast;
  if (!HoldsAll(client, &Holdings::channels, rules_.channels_per_address)) return std::nullopt;
  return Refused{.why = Refusal::kChannelsOfAddress, .wait = {}};
}

Admission::Verdict Admission::JudgeClaim(const Client& client, absl::Duration now) {
  const absl::Duration wait = Wait(client, Act::kFailClaim, now);
  if (wait > absl::ZeroDuration()) {
    return Refused{.why = Refusal::kFailedClaimRate, .wait = wait};
  }
  return Take(client, Act::kClaim, Refusal::kClaimRate, now);
}

Admission::Verdict Admission::JudgeConnection(const Client& client, absl::Duration now) {
  if (short_of_memory_) return Refused{.why = Refusal::kMemory, .wait = {}};
  const absl::Duration wait = Wait(client, Act::kOpenStream, now);
  if (wait > absl::ZeroDuration()) return Refused{.why = Refusal::kStreamRate, .wait = wait};
  return Take(client, Act::kConnect, Refusal::kConnectionRate, now);
}

Admission::Opening Admission::NoteOpening(const Client& client, absl::Duration now,
                                          uint32_t times) {
  Opening opening;
  const absl::Duration wait = Wait(client, Act::kOpenStream, now);
  Note(client, Act::kOpenStream, now, times);
  if (wait > absl::ZeroDuration()) {
    opening.verdict = Refused{.why = Refusal::kStreamRate, .wait = wait};
  }
  if (wait >= kTooMuch) opening.cut = cutter_;
  return opening;
}

Admission::Verdict Admission::JudgeBriefCall(const Client& client) const {
  if (HoldsAll(client, &Holdings::calls, kBriefCallsPerAddress)) {
    return Refused{.why = Refusal::kStreamsOfAddress, .wait = {}};
  }
  if (brief_calls_ < kBriefCalls) return std::nullopt;
  return Refused{.why = Refusal::kStreamsInAll, .wait = {}};
}

Admission::Verdict Admission::JudgeStream(const Client& client) const {
  if (short_of_memory_) return Refused{.why = Refusal::kMemory, .wait = {}};
  if (HoldsAll(client, &Holdings::streams, rules_.streams_per_address)) {
    return Refused{.why = Refusal::kStreamsOfAddress, .wait = {}};
  }
  if (rules_.streams == 0) return std::nullopt;
  const bool few = !HoldsAll(client, &Holdings::streams, kFewStreams);
  const uint32_t free_for_it = few ? rules_.streams : rules_.streams - rules_.streams / 4;
  if (streams_ < free_for_it) return std::nullopt;
  return Refused{.why = Refusal::kStreamsInAll, .wait = {}};
}

}  // namespace wormhole::relay
