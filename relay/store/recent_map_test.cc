#include "relay/store/recent_map.h"

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

TEST(RecentMapTest, FindsWhatWasInserted) {
  RecentMap<int, int> map(2);
  EXPECT_EQ(map.Find(1), nullptr);
  map.Insert(1, 10);
  map.Insert(1, 11);
  ASSERT_NE(map.Find(1), nullptr);
  EXPECT_EQ(*map.Find(1), 11);
}

TEST(RecentMapTest, WhatIsUsedStaysAndTheRestGoes) {
  RecentMap<int, int> map(2);
  map.Insert(1, 10);
  map.Insert(2, 20);
  map.Age();
  EXPECT_NE(map.Find(1), nullptr);
  map.Insert(3, 30);
  map.Age();
  EXPECT_NE(map.Find(1), nullptr);
  EXPECT_EQ(map.Find(2), nullptr);
  EXPECT_NE(map.Find(3), nullptr);
}

TEST(RecentMapTest, AnOldEntryIsReplacedAndErased) {
  RecentMap<int, int> map(1);
  map.Insert(1, 10);
  map.Age();
  map.Insert(1, 11);
  EXPECT_EQ(*map.Find(1), 11);
  map.Age();
  map.Erase(1);
  EXPECT_EQ(map.Find(1), nullptr);
  map.Insert(2, 20);
  map.Clear();
  EXPECT_EQ(map.Find(2), nullptr);
}

}  // namespace
}  // namespace wormhole::relay
