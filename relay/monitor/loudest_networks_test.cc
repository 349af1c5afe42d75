#include "relay/monitor/loudest_networks.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr size_t kTracked = LoudestNetworks::kTracked;

net::Address At(std::string_view text) { return *net::Address::Parse(text); }

// One of 2^24 networks of IPv4.
net::Address Nth(uint32_t network, uint8_t host = 1) {
  const uint8_t bytes[4] = {static_cast<uint8_t>(network >> 16), static_cast<uint8_t>(network >> 8),
                            static_cast<uint8_t>(network), host};
  return net::Address::V4(bytes);
}

class LoudestNetworksTest : public ::testing::Test {
 protected:
  std::vector<std::string> Names(size_t most) const {
    std::vector<std::string> names;
    for (const NetworkView& view : loudest_.List(most, now_)) names.push_back(view.network);
    return names;
  }

  std::optional<NetworkView> Find(const std::string& name) const {
    for (const NetworkView& view : loudest_.List(kTracked * 2, now_)) {
      if (view.network == name) return view;
    }
    return std::nullopt;
  }

  void Connect(const net::Address& client, int times) {
    for (int i = 0; i < times; ++i) loudest_.Connected(client, now_);
  }

  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1000);
  LoudestNetworks loudest_;
};

TEST_F(LoudestNetworksTest, NobodyIsThereAtFirst) { EXPECT_THAT(Names(10), ElementsAre()); }

TEST_F(LoudestNetworksTest, CountsByNetworkAndForgetsTheAddress) {
  loudest_.Connected(At("192.0.2.7"), now_);
  loudest_.Connected(At("::ffff:192.0.2.200"), now_);
  loudest_.StreamBegan(At("192.0.2.9"), now_);
  loudest_.Refused(At("192.0.2.7"), "claim_rate", now_);
  loudest_.Refused(At("192.0.2.8"), "memory", now_);
  loudest_.Refused(At("192.0.2.8"), "claim_rate", now_);
  loudest_.Connected(At("2001:db8:1:2::3"), now_);
  loudest_.Connected(At("2001:db8:1:ffff::4"), now_);
  loudest_.Connected(At("0.0.0.0"), now_);
  EXPECT_THAT(Names(10), ElementsAre("192.0.2.0/24", "2001:db8:1::/48", "unix"));
  EXPECT_THAT(Names(2), ElementsAre("192.0.2.0/24", "2001:db8:1::/48"));
  const NetworkView first = loudest_.List(1, now_)[0];
  EXPECT_EQ(first.since, now_);
  EXPECT_EQ(first.connections, 2u);
  EXPECT_EQ(first.streams, 1u);
  EXPECT_EQ(first.streams_now, 1u);
  EXPECT_THAT(first.refused, ElementsAre(Pair("claim_rate", 2), Pair("memory", 1)));
  EXPECT_DOUBLE_EQ(first.loudness, 7);
  EXPECT_EQ(first.overstated_by, 0);
}

TEST_F(LoudestNetworksTest, WhatWasDoneLongAgoCountsLess) {
  Connect(Nth(1), 100);
  now_ += LoudestNetworks::kHalfLife;
  Connect(Nth(2), 60);
  EXPECT_THAT(Names(2), ElementsAre("0.0.2.0/24", "0.0.1.0/24"));
  EXPECT_THAT(Find("0.0.1.0/24")->loudness, DoubleNear(50, 1e-6));
  EXPECT_EQ(Find("0.0.1.0/24")->connections, 100u);
}

TEST_F(LoudestNetworksTest, StreamsAreLoudAsLongAsTheyLast) {
  for (int i = 0; i < 50; ++i) loudest_.StreamBegan(Nth(1), now_);
  now_ += 100 * LoudestNetworks::kHalfLife;
  // Who does more takes all places.
  for (uint32_t other = 2; other < 2 + 2 * kTracked; ++other) Connect(Nth(other), 3);
  const std::optional<NetworkView> held = Find("0.0.1.0/24");
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(held->streams_now, 50u);
  EXPECT_EQ(held->since, absl::InfiniteFuture());
  EXPECT_THAT(Names(1), ElementsAre("0.0.1.0/24"));
  for (int i = 0; i < 50; ++i) loudest_.StreamOver(Nth(1));
  EXPECT_FALSE(Find("0.0.1.0/24").has_value());
}

TEST_F(LoudestNetworksTest, SoAreChannels) {
  loudest_.ChannelBegan(At("192.0.2.7"));
  loudest_.ChannelBegan(At("192.0.2.8"));
  loudest_.StreamBegan(At("192.0.2.8"), now_);
  EXPECT_EQ(Find("192.0.2.0/24")->channels_now, 2u);
  EXPECT_DOUBLE_EQ(Find("192.0.2.0/24")->loudness, 4);
  loudest_.ChannelEnded(At("192.0.2.7"));
  loudest_.ChannelEnded(At("192.0.2.7"));
  EXPECT_EQ(Find("192.0.2.0/24")->channels_now, 0u);
  // Two threads tell of the same channel, in the wrong order.
  loudest_.ChannelEnded(At("198.51.100.1"));
  EXPECT_EQ(Find("198.51.100.0/24")->channels_now, 0u);
  loudest_.ChannelBegan(At("198.51.100.1"));
  EXPECT_FALSE(Find("198.51.100.0/24").has_value());
}

// The bounds that the header promises, against an exact count, where a million networks come once
// each and a few come often.
TEST_F(LoudestNetworksTest, TheLoudOnesAreKeptAmongAMillionOthers) {
  constexpr uint32_t kOthers = 1'000'000;
  std::map<uint32_t, uint64_t> loud;
  uint64_t all = 0;
  for (uint32_t other = 0; other < kOthers; ++other, ++all) {
    loudest_.Connected(Nth(1000 + other), now_);
    // The n-th loud one comes with every (400 + 50 n)-th of the others.
    for (uint32_t n = 0; n < 10; ++n) {
      if (other % (400 + 50 * n) != 0) continue;
      loudest_.Connected(Nth(1 + n, static_cast<uint8_t>(other)), now_);
      ++loud[1 + n];
      ++all;
    }
  }
  const double bound = static_cast<double>(all) / kTracked;
  const std::vector<NetworkView> views = loudest_.List(2 * kTracked, now_);
  EXPECT_EQ(views.size(), kTracked);
  for (const NetworkView& view : views) {
    EXPECT_LE(view.overstated_by, bound + 1);
  }
  for (const auto& [network, times] : loud) {
    ASSERT_GT(static_cast<double>(times), bound) << "not loud enough to be promised anything";
    const std::optional<NetworkView> view = Find(absl::StrCat("0.0.", network, ".0/24"));
    ASSERT_TRUE(view.has_value()) << network;
    EXPECT_GE(view->loudness + 1e-6, static_cast<double>(times));
    EXPECT_LE(view->loudness - view->overstated_by, static_cast<double>(times) + 1e-6);
  }
}

TEST_F(LoudestNetworksTest, ALongRunAndALongPauseKeepItsOrder) {
  for (int step = 0; step < 1000; ++step) {
    Connect(Nth(1), 2);
    Connect(Nth(2), 1);
    now_ += LoudestNetworks::kHalfLife;
  }
  EXPECT_THAT(Names(2), ElementsAre("0.0.1.0/24", "0.0.2.0/24"));
  EXPECT_THAT(Find("0.0.1.0/24")->loudness, DoubleNear(2, 1e-6));
  now_ += absl::Hours(24 * 3650);
  Connect(Nth(3), 1);
  EXPECT_THAT(Names(1), ElementsAre("0.0.3.0/24"));
  EXPECT_DOUBLE_EQ(Find("0.0.3.0/24")->loudness, 1);
  EXPECT_EQ(Find("0.0.1.0/24")->loudness, 0);
}

}  // namespace
}  // namespace wormhole::relay
