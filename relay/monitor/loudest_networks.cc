#include "relay/monitor/loudest_networks.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

// Weights double each half-life, and a double holds a thousand doublings.
constexpr double kMaxDoublings = 64;

int KeptBits(const net::Address& client) { return client.v6() ? 48 : 24; }

net::Address NetworkOf(const net::Address& client) {
  const net::Address unmapped = client.Unmapped();
  return unmapped.Network(KeptBits(unmapped));
}

std::string Name(const net::Address& network) {
  if (network.unspecified()) return "unix";
  return absl::StrCat(network.ToString(), "/", KeptBits(network));
}

double Doublings(absl::Duration passed) {
  return absl::FDivDuration(passed, LoudestNetworks::kHalfLife);
}

}  // namespace

void LoudestNetworks::Connected(const net::Address& client, absl::Time now) {
  ++Count(client, now).connections;
}

void LoudestNetworks::StreamBegan(const net::Address& client, absl::Time now) {
  ++Count(client, now).streams;
  Hold(client, &Held::streams, +1);
}

void LoudestNetworks::StreamOver(const net::Address& client) { Hold(client, &Held::streams, -1); }

void LoudestNetworks::ChannelBegan(const net::Address& client) {
  Hold(client, &Held::channels, +1);
}

void LoudestNetworks::ChannelEnded(const net::Address& client) {
  Hold(client, &Held::channels, -1);
}

void LoudestNetworks::Hold(const net::Address& client, ptrdiff_t Held::*what, ptrdiff_t step) {
  const auto [held, is_new] = held_.try_emplace(NetworkOf(client));
  held->second.*what += step;
  if (held->second.streams == 0 && held->second.channels == 0) held_.erase(held);
}

NetworkView LoudestNetworks::View(const Candidate& candidate, double unit) {
  NetworkView view{.network = Name(*candidate.network), .loudness = candidate.loudness};
  if (const Entry* const entry = candidate.entry) {
    view.since = entry->since;
    view.connections = entry->connections;
    view.streams = entry->streams;
    view.refused = entry->refused;
    view.overstated_by = entry->overstated_by / unit;
  }
  if (candidate.held != nullptr) {
    view.streams_now = Held::Shown(candidate.held->streams);
    view.channels_now = Held::Shown(candidate.held->channels);
  }
  return view;
}

void LoudestNetworks::Refused(const net::Address& client, std::string_view reason, absl::Time now) {
  Entry& entry = Count(client, now);
  const auto known =
      std::ranges::find(entry.refused, reason, [](const auto& refused) { return refused.first; });
  if (known != entry.refused.end()) {
    ++known->second;
  } else {
    entry.refused.emplace_back(reason, 1);
  }
}

std::vector<NetworkView> LoudestNetworks::List(size_t most, absl::Time now) const {
  const double unit = Weight(now);
  std::vector<Candidate> candidates;
  candidates.reserve(entries_.size() + held_.size());
  for (const Entry& entry : entries_) {
    const auto held = held_.find(entry.network);
    const size_t has = held == held_.end() ? 0 : held->second.shown();
    candidates.push_back({.loudness = entry.weight / unit + static_cast<double>(has),
                          .network = &entry.network,
                          .entry = &entry,
                          .held = held == held_.end() ? nullptr : &held->second});
  }
  for (const auto& [network, held] : held_) {
    if (numbers_.contains(network)) continue;
    candidates.push_back(
        {.loudness = static_cast<double>(held.shown()), .network = &network, .held = &held});
  }
  // Only those that are shown get a name and are sorted: clients wait meanwhile.
  const auto shown = candidates.begin() + static_cast<ptrdiff_t>(std::min(most, candidates.size()));
  std::partial_sort(candidates.begin(), shown, candidates.end());
  std::vector<NetworkView> views;
  views.reserve(static_cast<size_t>(shown - candidates.begin()));
  std::transform(candidates.begin(), shown, std::back_inserter(views),
                 [unit](const Candidate& candidate) { return View(candidate, unit); });
  return views;
}

LoudestNetworks::Entry& LoudestNetworks::Count(const net::Address& client, absl::Time now) {
  if (epoch_ == absl::InfinitePast() || Doublings(now - epoch_) > kMaxDoublings) Renew(now);
  const net::Address network = NetworkOf(client);
  const auto known = numbers_.find(network);
  const size_t number = known == numbers_.end() ? Place(network, now) : known->second;
  Entry& entry = entries_[number];
  auto place = order_.extract({entry.weight, number});
  entry.weight += Weight(now);
  place.value().first = entry.weight;
  order_.insert(std::move(place));
  return entry;
}

size_t LoudestNetworks::Place(const net::Address& network, absl::Time now) {
  if (entries_.size() < kTracked) {
    const size_t number = entries_.size();
    entries_.push_back({.network = network, .since = now});
    order_.emplace(0.0, number);
    numbers_[network] = number;
    return number;
  }
  const auto [weight, number] = *order_.begin();
  Entry& entry = entries_[number];
  numbers_.erase(entry.network);
  entry = {.network = network, .since = now, .weight = weight, .overstated_by = weight};
  numbers_[network] = number;
  return number;
}

double LoudestNetworks::Weight(absl::Time now) const {
  if (epoch_ == absl::InfinitePast()) return 1;
  return std::exp2(Doublings(now - epoch_));
}

void LoudestNetworks::Renew(absl::Time now) {
  const double unit = Weight(now);
  epoch_ = now;
  order_.clear();
  for (size_t number = 0; number < entries_.size(); ++number) {
    Entry& entry = entries_[number];
    // Infinite after a pause of a week: all of it is forgotten then.
    entry.weight /= unit;
    entry.overstated_by /= unit;
    order_.emplace(entry.weight, number);
  }
}

}  // namespace wormhole::relay
