#include "relay/admission/source_table.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "proto/net/address.h"

namespace wormhole::relay {
namespace {

using absl::Seconds;

constexpr absl::Duration kStart = absl::Hours(5);

ActLimits Limits(uint32_t claims) {
  ActLimits limits;
  limits[Act::kClaim] = claims;
  return limits;
}

net::Address Ip(const std::string& text) { return *net::Address::Parse(text); }

// Different for each number.
net::Address Numbered(uint32_t n) {
  const uint8_t bytes[4] = {static_cast<uint8_t>(10 + (n >> 24)), static_cast<uint8_t>(n >> 16),
                            static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)};
  return net::Address::V4(bytes);
}

// How many of `tries` at once it may do.
int Burst(SourceTable& table, const net::Address& source, absl::Duration now, int tries) {
  int done = 0;
  for (; done < tries && table.Wait(source, Act::kClaim, now) == absl::ZeroDuration(); ++done) {
    table.Note(source, Act::kClaim, now);
  }
  return done;
}

TEST(SourceTableTest, AMinutesWorthAtOnceAndThenAsManyEachMinute) {
  SourceTable table(Limits(60), 100, {});
  const net::Address source = Ip("192.0.2.7");
  EXPECT_EQ(Burst(table, source, kStart, 1000), 60);
  EXPECT_EQ(table.Wait(source, Act::kClaim, kStart), Seconds(1));
  EXPECT_EQ(table.Wait(source, Act::kClaim, kStart + Seconds(1)), absl::ZeroDuration());
  EXPECT_EQ(Burst(table, source, kStart + Seconds(10), 1000), 10);
  EXPECT_EQ(Burst(table, source, kStart + Seconds(1000), 1000), 60);
}

TEST(SourceTableTest, EachSourceAndEachActForItself) {
  ActLimits limits = Limits(2);
  limits[Act::kAllocate] = 3;
  SourceTable table(limits, 100, {});
  EXPECT_EQ(Burst(table, Ip("192.0.2.7"), kStart, 10), 2);
  EXPECT_EQ(Burst(table, Ip("192.0.2.8"), kStart, 10), 2);
  EXPECT_EQ(table.Wait(Ip("192.0.2.7"), Act::kAllocate, kStart), absl::ZeroDuration());
}

TEST(SourceTableTest, WithoutALimitNothingIsKept) {
  SourceTable table(Limits(0), 100, {});
  EXPECT_EQ(Burst(table, Ip("192.0.2.7"), kStart, 1000), 1000);
  EXPECT_EQ(table.size(), 0);
}

TEST(SourceTableTest, WhatIsNotedBeyondTheLimitIsOwed) {
  SourceTable table(Limits(60), 100, {});
  const net::Address source = Ip("192.0.2.7");
  for (int n = 0; n < 90; ++n) table.Note(source, Act::kClaim, kStart);
  EXPECT_EQ(table.Wait(source, Act::kClaim, kStart), Seconds(31));
  for (int n = 0; n < 9000; ++n) table.Note(source, Act::kClaim, kStart);
  EXPECT_EQ(table.Wait(source, Act::kClaim, kStart), Seconds(61));
}

TEST(SourceTableTest, AFullBucketIsForgotten) {
  SourceTable table(Limits(60), 1000, {});
  for (uint32_t n = 0; n < 100; ++n) table.Note(Numbered(n), Act::kClaim, kStart);
  EXPECT_EQ(table.size(), 100);
  for (uint32_t n = 0; n < 50; ++n) {
    table.Note(Ip("192.0.2.7"), Act::kClaim, kStart + Seconds(2));
  }
  EXPECT_EQ(table.size(), 1);
}

TEST(SourceTableTest, WhoHoldsSomethingIsRemembered) {
  SourceTable table(Limits(60), 10, {});
  const net::Address holder = Ip("192.0.2.7");
  table.SetHeld(holder, {.streams = 2, .channels = 1}, kStart);
  for (uint32_t n = 0; n < 1000; ++n) Burst(table, Numbered(n), kStart, 60);
  EXPECT_EQ(table.Held(holder).streams, 2);
  EXPECT_EQ(table.Held(holder).channels, 1);
  EXPECT_LE(table.size(), 10 + 1);
  table.SetHeld(holder, {}, kStart);
  Burst(table, Numbered(5), kStart + Seconds(200), 1);
  EXPECT_EQ(table.Held(holder).streams, 0);
}

// Who holds something is let in beyond the capacity, and gives it back when he holds nothing.
TEST(SourceTableTest, ToHoldSomethingForAMomentIsNoWayAroundTheCapacity) {
  SourceTable table(Limits(60), 100, {});
  const net::Address guesser = Ip("192.0.2.7");
  ASSERT_EQ(Burst(table, guesser, kStart, 1000), 60);
  for (uint32_t n = 0; n < 10'000; ++n) {
    table.SetHeld(Numbered(n), {.streams = 1}, kStart);
    ASSERT_EQ(Burst(table, Numbered(n), kStart, 20), 20);
    table.SetHeld(Numbered(n), {}, kStart);
    ASSERT_LE(table.size(), 100);
  }
  EXPECT_EQ(Burst(table, guesser, kStart, 1000), 0);
}

// A million addresses come within ten seconds, in the hope that the one that has used up its bucket
// is forgotten.
TEST(SourceTableTest, AMillionAddressesWashNobodyClean) {
  constexpr size_t kCapacity = 1 << 15;
  constexpr uint32_t kMillion = 1'000'000;
  SourceTable table(Limits(60), kCapacity, {});
  const net::Address guesser = Ip("192.0.2.7");
  ASSERT_EQ(Burst(table, guesser, kStart, 1000), 60);
  size_t most = 0;
  for (uint32_t n = 0; n < kMillion; ++n) {
    const absl::Duration now = kStart + Seconds(10) * (n / double{kMillion});
    table.Note(Numbered(n), Act::kClaim, now);
    if (n % 1000 == 0) most = std::max(most, table.size());
  }
  EXPECT_LE(most, kCapacity);
  // It has what ten seconds gave it, as if nobody else had come.
  EXPECT_EQ(Burst(table, guesser, kStart + Seconds(10), 1000), 10);
}

// Addresses that use up their buckets one after the other fill the table; those beyond it are told
// apart by their networks alone, so that more addresses are no way to more claims.
TEST(SourceTableTest, BeyondTheCapacityAddressesShareBuckets) {
  constexpr size_t kCapacity = 1000;
  SourceTable table(Limits(60), kCapacity, {});
  for (uint32_t n = 0; n < kCapacity; ++n) ASSERT_EQ(Burst(table, Numbered(n), kStart, 100), 60);
  int more = 0;
  for (uint32_t n = kCapacity; n < 60'000; ++n) more += Burst(table, Numbered(n), kStart, 100);
  // All of them are of one /16. The first of them pushes out a bucket that is as empty as its own
  // will be, but no more than that: what is regained so is less than one act for each.
  EXPECT_LE(more, 60 * static_cast<int>(SourceTable::kCrowdFactor));
  EXPECT_EQ(table.size(), kCapacity);
  EXPECT_EQ(Burst(table, Numbered(5), kStart, 100), 0);
  // Others are let in as before.
  EXPECT_GT(Burst(table, Ip("198.51.100.7"), kStart, 100), 0);
}

}  // namespace
}  // namespace wormhole::relay
