#include "relay/accept/connection_limits.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace wormhole::relay {
namespace {

// Of an IPv6 address.
constexpr int kHostBits = 64;
constexpr int kSiteBits = 48;
// For each connection that is looked at: looking costs a hundredth of that.
constexpr absl::Duration kPause = absl::Microseconds(20);

// One in so many of all may be on its way out for others.
constexpr size_t kLeavingShare = 16;

// Whether so many may be looked at again, and if so that they are now.
bool MayLook(size_t count, absl::Duration now, absl::Duration& looked_at) {
  if (now - looked_at < kPause * static_cast<int64_t>(count)) return false;
  looked_at = now;
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
  if (all && MayLook(count() + leaving_.size(), now, looked_at_)) {
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
  if (!MayLook(numbers.size(), now, source->second.looked_at)) return suspects;
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

std::vector<ConnectionId> ConnectionLimits::Unused(
    absl::Duration now, const std::function<bool(const ConnectionId&)>& is_unused) {
  if (!MayLook(count(), now, unused_at_)) return {};
  for (auto& sources : sources_) {
    for (auto& [network, source] : sources) source.unused = 0;
  }
  std::vector<ConnectionId> unused;
  for (const auto& [number, connection] : connections_) {
    const ConnectionId id = {number, connection.cookie};
    if (!is_unused(id)) continue;
    unused.push_back(id);
    for (size_t width = 0; width < kWidths; ++width) ++SourceOf(connection, width).unused;
  }
  const auto of_no_use = [](const Source& source) { return source.unused; };
  std::ranges::sort(unused, {}, [&](const ConnectionId& id) {
    return Claim(connections_.at(id.number), of_no_use);
  });
  return unused;
}

bool ConnectionLimits::Leaves(const ConnectionId& id, const net::Address& newcomer, bool young) {
  const auto found = connections_.find(id.number);
  if (found == connections_.end() || found->second.cookie != id.cookie) return false;
  if (leaving_.size() * kLeavingShare > caps_.in_all) return false;
  const Source& site = SourceOf(found->second, kSite);
  if (site.numbers.size() < kFew && Count(newcomer, kSite) >= kFew) return false;
  const auto newcomers = sources_[kSite].find(Network(newcomer, kSite));
  const size_t has = newcomers == sources_[kSite].end() ? 0 : newcomers->second.unused;
  if (young && site.unused <= has + 1) return false;
  for (size_t width = 0; width < kWidths; ++width) --SourceOf(found->second, width).unused;
  Closed(id.number);
  leaving_.emplace(id.number, id.cookie);
  return true;
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

std::vector<ConnectionId> ConnectionLimits::NextToLookAt(size_t most) {
  std::vector<ConnectionId> next;
  auto connection = connections_.upper_bound(last_looked_at_);
  for (most = std::min(most, count()); next.size() < most; ++connection) {
    if (connection == connections_.end()) connection = connections_.begin();
    next.push_back({connection->first, connection->second.cookie});
  }
  last_looked_at_ = next.empty() ? -1 : next.back().number;
  return next;
}

}  // namespace wormhole::relay
