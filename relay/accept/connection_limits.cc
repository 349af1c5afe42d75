#include "relay/accept/connection_limits.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace wormhole::relay {
namespace {

// Of an IPv6 address.
constexpr int kHostBits = 64;
constexpr int kSiteBits = 48;
// Of each connection, from one check to the next: a check costs a hundredth of that, and to ask for
// its use a twentieth.
constexpr absl::Duration kPause = absl::Microseconds(20);
constexpr absl::Duration kUsePause = absl::Microseconds(50);

// Young connections that are passed over for one newcomer: who has more than those that have the
// most will hardly find one further down.
constexpr size_t kMostPassed = 64;

// One in so many of all may be on its way out for others.
constexpr size_t kLeavingShare = 16;

// Whether so many may be checked again. If so, notes that they are now.
bool MayCheck(size_t count, absl::Duration now, absl::Duration& checked_at,
              absl::Duration pause = kPause) {
  if (now - checked_at < pause * static_cast<int64_t>(count)) return false;
  checked_at = now;
  return true;
}

}  // namespace

net::Address ConnectionLimits::Counted(const net::Address& address) {
  const net::Address plain = address.Unmapped();
  return plain.v6() ? plain.Network(kHostBits) : plain;
}

net::Address ConnectionLimits::Network(const net::Address& address, size_t width) {
  const net::Address counted = Counted(address);
  return width == kSite && counted.v6() ? counted.Network(kSiteBits) : counted;
}

size_t ConnectionLimits::Cap(size_t width) const {
  return width == kSite ? 2 * caps_.per_address : caps_.per_address;
}

size_t ConnectionLimits::Count(const net::Address& from, size_t width) const {
  const auto source = sources_[width].find(Network(from, width));
  return source == sources_[width].end() ? 0 : source->second.numbers.size();
}

size_t ConnectionLimits::Common() const {
  return caps_.per_address >= caps_.in_all ? caps_.in_all : caps_.in_all - caps_.in_all / 4;
}

ConnectionLimits::Verdict ConnectionLimits::JudgeWhereOldestGivesWay() const {
  if (leaving_.size() >= caps_.in_all) return Verdict::kTooManyInAll;
  return HasRoom(caps_.in_all) ? Verdict::kAdmit : Verdict::kGiveWay;
}

ConnectionLimits::Verdict ConnectionLimits::JudgeNameless() const {
  return HasRoom(caps_.in_all) ? Verdict::kAdmit : Verdict::kTooManyInAll;
}

ConnectionLimits::Verdict ConnectionLimits::Judge(const net::Address& from) const {
  if (caps_.oldest_gives_way) return JudgeWhereOldestGivesWay();
  for (size_t width = 0; width < kWidths; ++width) {
    if (Count(from, width) >= Cap(width)) return Verdict::kTooManyFromAddress;
  }
  const size_t room = Count(from, kSite) < kFew ? caps_.in_all : Common();
  return HasRoom(room) ? Verdict::kAdmit : Verdict::kTooManyInAll;
}

std::vector<ConnectionId> ConnectionLimits::Suspects(Verdict verdict, const net::Address& from,
                                                     absl::Duration now) {
  std::vector<ConnectionId> suspects;
  const bool all = verdict == Verdict::kTooManyInAll || verdict == Verdict::kGiveWay;
  if (all && MayCheck(count() + leaving_.size(), now, all_checked_at_)) {
    for (const auto& [number, connection] : connections_) {
      suspects.push_back({number, connection.cookie});
    }
    for (const auto& [number, cookie] : leaving_) suspects.push_back({number, cookie});
  }
  if (verdict != Verdict::kTooManyFromAddress) return suspects;
  const size_t width = Count(from, kAddress) >= Cap(kAddress) ? kAddress : kSite;
  const auto source = sources_[width].find(Network(from, width));
  if (source == sources_[width].end()) return suspects;
  const std::vector<int>& numbers = source->second.numbers;
  if (!MayCheck(numbers.size(), now, source->second.checked_at)) return suspects;
  for (const int number : numbers) suspects.push_back({number, connections_.at(number).cookie});
  return suspects;
}

std::vector<ConnectionId> ConnectionLimits::Of(const net::Address& address) const {
  std::vector<ConnectionId> ids;
  const auto source = sources_[kAddress].find(Counted(address));
  if (source == sources_[kAddress].end()) return ids;
  for (const int number : source->second.numbers) {
    ids.push_back({number, connections_.at(number).cookie});
  }
  return ids;
}

void ConnectionLimits::Opened(ConnectionId id, const net::Address& from) {
  Closed(id.number);
  Connection connection = {.cookie = id.cookie, .turn = turns_++, .places = {}};
  for (size_t width = 0; width < kWidths; ++width) {
    const net::Address network = Network(from, width);
    std::vector<int>& numbers = sources_[width][network].numbers;
    connection.places[width] = {.network = network, .at = numbers.size()};
    numbers.push_back(id.number);
    ++sources_[width][network].unused;
  }
  connections_.emplace(id.number, connection);
}

ConnectionLimits::ClaimOnLeaving ConnectionLimits::Claim(const Connection& connection,
                                                         size_t (*count)(const Source&)) const {
  const auto of = [&](size_t width) {
    return count(sources_[width].at(connection.places[width].network));
  };
  return {of(kSite), of(kAddress), turns_ - connection.turn};
}

ConnectionLimits::Source& ConnectionLimits::SourceOf(const Connection& connection, size_t width) {
  return sources_[width].at(connection.places[width].network);
}

std::optional<ConnectionId> ConnectionLimits::GiveWay() {
  const auto all = [](const Source& source) { return source.numbers.size(); };
  const auto first = std::ranges::max_element(
      connections_, {}, [&](const auto& connection) { return Claim(connection.second, all); });
  if (first == connections_.end()) return std::nullopt;
  const ConnectionId id = {first->first, first->second.cookie};
  Closed(id.number);
  leaving_.emplace(id.number, id.cookie);
  return id;
}

void ConnectionLimits::FindUnused(absl::Duration now, const UseOf& use_of) {
  if (!MayCheck(count(), now, unused_at_, kUsePause)) return;
  for (Spares& spares : spares_) spares.clear();
  of_many_ = 0;
  for (auto& sources : sources_) {
    for (auto& [network, source] : sources) source.unused = 0;
  }
  std::vector<std::pair<int, Use>> unused;
  for (const auto& [number, connection] : connections_) {
    of_many_ += SourceOf(connection, kSite).numbers.size() < kFew ? 0 : 1;
    const Use use = use_of({number, connection.cookie});
    if (use == Use::kInUse) continue;
    unused.emplace_back(number, use);
    for (size_t width = 0; width < kWidths; ++width) ++SourceOf(connection, width).unused;
  }
  const auto of_no_use = [](const Source& source) { return source.unused; };
  for (const auto& [number, use] : unused) {
    const Connection& connection = connections_.at(number);
    const bool of_few = SourceOf(connection, kSite).numbers.size() < kFew;
    SparesOf(use, of_few)
        .emplace_back(Claim(connection, of_no_use), ConnectionId{number, connection.cookie});
  }
  for (Spares& spares : spares_) {
    std::ranges::sort(spares, {}, [](const auto& spare) { return spare.first; });
  }
}

std::optional<ConnectionId> ConnectionLimits::MakeRoom(const net::Address& newcomer,
                                                       bool also_young, const UseOf& use_of) {
  if (leaving_.size() * kLeavingShare > caps_.in_all) return std::nullopt;
  std::optional<ConnectionId> goes = TakeSpare(Use::kNone, newcomer, use_of);
  if (!goes && also_young) goes = TakeSpare(Use::kNotYet, newcomer, use_of);
  return goes;
}

// Drops, for good, those that have closed since FindUnused, or have come to be of use. Asks last
// whether a young one has, since that costs most.
std::optional<ConnectionId> ConnectionLimits::TakeSpare(Use use, const net::Address& newcomer,
                                                        const UseOf& use_of) {
  const bool has_few = Count(newcomer, kSite) < kFew;
  const bool takes_of_few = has_few || (use == Use::kNone && of_many_ < Common());
  Spares& of_few = SparesOf(use, true);
  Spares& of_many = SparesOf(use, false);
  // So many of each are left to consider.
  size_t few = takes_of_few ? of_few.size() : 0;
  size_t many = of_many.size();
  for (size_t passed = 0; passed < kMostPassed && few + many > 0;) {
    const bool takes_few =
        few > 0 && (many == 0 || of_few[few - 1].first > of_many[many - 1].first);
    Spares& spares = takes_few ? of_few : of_many;
    size_t& left = takes_few ? few : many;
    const ConnectionId id = spares[--left].second;
    const auto found = connections_.find(id.number);
    const bool open = found != connections_.end() && found->second.cookie == id.cookie;
    // Others of its site may have gone since.
    const bool is_of_few = open && SourceOf(found->second, kSite).numbers.size() < kFew;
    const bool stays = open && ((is_of_few && !takes_of_few) ||
                                (use == Use::kNotYet && !HasFewer(newcomer, found->second)));
    if (stays) {
      ++passed;
      continue;
    }
    spares.erase(spares.begin() + static_cast<ptrdiff_t>(left));
    if (!open || use_of(id) == Use::kInUse) continue;
    if (is_of_few && !has_few) ++of_many_;
    Leave(id);
    return id;
  }
  return std::nullopt;
}

size_t ConnectionLimits::UnusedOf(const net::Address& from, size_t width) const {
  const auto source = sources_[width].find(Network(from, width));
  return source == sources_[width].end() ? 0 : source->second.unused;
}

// Those of one site are told apart by their addresses: it may be hundreds of homes.
bool ConnectionLimits::HasFewer(const net::Address& newcomer, const Connection& connection) {
  const bool neighbours = connection.places[kSite].network == Network(newcomer, kSite);
  const size_t width = neighbours ? kAddress : kSite;
  return UnusedOf(newcomer, width) + 1 < SourceOf(connection, width).unused;
}

void ConnectionLimits::Leave(const ConnectionId& id) {
  for (size_t width = 0; width < kWidths; ++width) {
    size_t& unused = SourceOf(connections_.at(id.number), width).unused;
    unused -= std::min<size_t>(unused, 1);
  }
  Closed(id.number);
  leaving_.emplace(id.number, id.cookie);
}

void ConnectionLimits::Closed(int number) {
  leaving_.erase(number);
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  for (size_t width = 0; width < kWidths; ++width) {
    const Place& place = found->second.places[width];
    const auto source = sources_[width].find(place.network);
    std::vector<int>& numbers = source->second.numbers;
    // The last one takes its place.
    connections_.at(numbers.back()).places[width].at = place.at;
    numbers[place.at] = numbers.back();
    numbers.pop_back();
    if (numbers.empty()) sources_[width].erase(source);
  }
  connections_.erase(found);
}

std::vector<ConnectionId> ConnectionLimits::NextInTurn(size_t most) {
  std::vector<ConnectionId> next;
  auto connection = connections_.upper_bound(last_in_turn_);
  for (most = std::min(most, count()); next.size() < most; ++connection) {
    if (connection == connections_.end()) connection = connections_.begin();
    next.push_back({connection->first, connection->second.cookie});
  }
  last_in_turn_ = next.empty() ? -1 : next.back().number;
  return next;
}

}  // namespace wormhole::relay
