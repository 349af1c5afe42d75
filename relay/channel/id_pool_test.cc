#include "relay/channel/id_pool.h"

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  uint32_t operator()(uint32_t bound) {
    return std::uniform_int_distribution<uint32_t>(0, bound - 1)(engine_);
  }

 private:
  std::mt19937 engine_;
};

IdPool::RandomBelow Below(Random& random) {
  return [&random](uint32_t bound) { return random(bound); };
}

TEST(IdPool, NineInitiatorsGetOneDigitAndTheTenthTwo) {
  Random random(1);
  IdPool pool;
  std::set<uint32_t> ids;
  for (int i = 0; i < 9; ++i) ids.insert(pool.Draw(0, Below(random))->id);
  EXPECT_EQ(ids, (std::set<uint32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  const uint32_t tenth = pool.Draw(0, Below(random))->id;
  EXPECT_GE(tenth, 10u);
  EXPECT_LE(tenth, 99u);
}

TEST(IdPool, AShorterIdThatIsFreeAgainIsUsedFirst) {
  Random random(1);
  IdPool pool;
  for (int i = 0; i < 40; ++i) pool.Draw(0, Below(random));
  pool.Set(7, IdState::kFree);
  EXPECT_EQ(pool.Draw(0, Below(random))->id, 7u);
}

TEST(IdPool, MinDigitsIsTheLeast) {
  Random random(1);
  IdPool pool;
  for (int digits = 1; digits <= 9; ++digits) {
    const uint32_t id = pool.Draw(digits, Below(random))->id;
    EXPECT_EQ(std::to_string(id).size(), static_cast<size_t>(digits));
  }
  for (uint32_t id = 10; id < 100; ++id) pool.Set(id, IdState::kTaken);
  EXPECT_GE(pool.Draw(2, Below(random))->id, 100u);
}

// Whoever ends nine channels in a row, again and again, sends his app-id on to longer ids, and back
// when the quarantine is over.
TEST(IdPool, ARestingIdIsNotDrawn) {
  Random random(1);
  IdPool pool;
  std::set<uint32_t> burnt;
  for (int i = 0; i < 99; ++i) {
    const auto drawn = pool.Draw(0, Below(random));
    EXPECT_FALSE(drawn->spent);
    ASSERT_TRUE(burnt.insert(drawn->id).second);
    pool.Set(drawn->id, IdState::kResting);
  }
  EXPECT_EQ(*burnt.rbegin(), 99u);
  EXPECT_GE(pool.Draw(0, Below(random))->id, 100u);
  pool.Set(4, IdState::kFree);
  EXPECT_EQ(pool.Draw(0, Below(random))->id, 4u);
}

TEST(IdPool, NothingIsDrawnWhenAllRest) {
  Random random(1);
  IdsOfLength ids(1);
  for (uint32_t id = 1; id < 10; ++id) ids.Set(id, IdState::kResting);
  EXPECT_EQ(ids.count(IdState::kFree), 0u);
  EXPECT_EQ(ids.count(IdState::kSpent), 0u);
}

TEST(IdPool, ASpentIdIsDrawnOnlyWhenNoOtherOfItsLengthIsFree) {
  Random random(1);
  IdPool pool;
  pool.Set(3, IdState::kSpent);
  pool.Set(5, IdState::kSpent);
  for (int i = 0; i < 7; ++i) {
    const auto drawn = pool.Draw(0, Below(random));
    EXPECT_FALSE(drawn->spent);
    EXPECT_TRUE(drawn->id != 3 && drawn->id != 5);
  }
  std::set<uint32_t> spent;
  for (int i = 0; i < 2; ++i) {
    const auto drawn = pool.Draw(0, Below(random));
    EXPECT_TRUE(drawn->spent);
    spent.insert(drawn->id);
  }
  EXPECT_EQ(spent, (std::set<uint32_t>{3, 5}));
  EXPECT_GE(pool.Draw(0, Below(random))->id, 10u);
}

TEST(IdPool, LastIdOfAllIsDrawn) {
  Random random(1);
  IdPool pool;
  pool.Set(999'999'999, IdState::kTaken);
  pool.Set(100'000'000, IdState::kTaken);
  EXPECT_EQ(pool.state(999'999'999), IdState::kTaken);
  pool.Set(999'999'999, IdState::kFree);
  EXPECT_EQ(pool.state(999'999'999), IdState::kFree);
  EXPECT_EQ(pool.state(100'000'000), IdState::kTaken);
}

TEST(IdPool, MemoryGoesWithWhatIsNotFree) {
  Random random(7);
  IdPool pool;
  std::vector<uint32_t> taken;
  for (int i = 0; i < 20'000; ++i) {
    taken.push_back(pool.Draw(6, Below(random))->id);
    if (taken.size() < 10) continue;
    const uint32_t victim = random(taken.size());
    pool.Set(taken[victim], IdState::kFree);
    taken[victim] = taken.back();
    taken.pop_back();
    ASSERT_LE(pool.entries(), 4 * (taken.size() + 1));
  }
  for (uint32_t id : taken) pool.Set(id, IdState::kFree);
  EXPECT_TRUE(pool.empty());
  EXPECT_EQ(pool.entries(), 0u);
}

// Every free id is as likely as any other, also after much has been taken and let go.
TEST(IdPool, DrawsAreUniform) {
  Random random(42);
  IdPool pool;
  for (uint32_t id = 1; id < 10; ++id) pool.Set(id, IdState::kTaken);
  for (uint32_t id = 10; id < 60; ++id) pool.Set(id, IdState::kTaken);
  pool.Set(60, IdState::kResting);
  for (uint32_t id = 15; id < 30; ++id) pool.Set(id, IdState::kFree);
  const size_t free = 15 + 39;
  std::map<uint32_t, int> times;
  constexpr int kEach = 500;
  for (size_t i = 0; i < free * kEach; ++i) {
    const uint32_t id = pool.Draw(2, Below(random))->id;
    ++times[id];
    pool.Set(id, IdState::kFree);
  }
  EXPECT_EQ(times.size(), free);
  double chi_squared = 0;
  for (const auto& [id, n] : times) chi_squared += (n - kEach) * (n - kEach) / double{kEach};
  EXPECT_LT(chi_squared, 93.0);  // 53 degrees of freedom, p = 0.0005
}

// The pool against a plain map of states.
class NaiveModel {
 public:
  void Set(uint32_t id, IdState state) {
    not_free_ -= this->state(id) != IdState::kFree;
    not_free_ += state != IdState::kFree;
    states_[id] = state;
  }
  IdState state(uint32_t id) const {
    const auto found = states_.find(id);
    return found == states_.end() ? IdState::kFree : found->second;
  }
  // Whether the pool may draw this now.
  bool MayDraw(int min_digits, IdPool::Drawn drawn) const {
    uint32_t first = 1;
    for (int digits = 1; digits <= kMaxIdDigits; ++digits, first *= 10) {
      if (digits < min_digits) continue;
      size_t not_free = 0;
      size_t spent = 0;
      for (auto at = states_.lower_bound(first); at != states_.end() && at->first < 10 * first;
           ++at) {
        not_free += at->second != IdState::kFree;
        spent += at->second == IdState::kSpent;
      }
      const bool here = drawn.id >= first && drawn.id < 10 * first;
      if (not_free < 9 * first) {
        return here && !drawn.spent && state(drawn.id) == IdState::kFree;
      }
      if (spent > 0) return here && drawn.spent && state(drawn.id) == IdState::kSpent;
    }
    return false;
  }
  std::vector<uint32_t> Above(uint32_t after, size_t limit) const {
    std::vector<uint32_t> above;
    for (auto at = states_.upper_bound(after); at != states_.end() && above.size() < limit; ++at) {
      if (at->second != IdState::kFree) above.push_back(at->first);
    }
    return above;
  }
  size_t not_free() const { return not_free_; }

 private:
  size_t not_free_ = 0;
  std::map<uint32_t, IdState> states_;
};

class IdPoolProperty : public testing::TestWithParam<uint32_t> {};

TEST_P(IdPoolProperty, AgreesWithANaiveModel) {
  Random random(GetParam());
  IdPool pool;
  NaiveModel model;
  const uint32_t crowd = 20 + random(300);  // ids that are touched by name
  for (int step = 0; step < 1500; ++step) {
    if (random(3) == 0) {
      const int min_digits = random(3);
      const auto drawn = pool.Draw(min_digits, Below(random));
      ASSERT_TRUE(drawn.has_value());
      ASSERT_TRUE(model.MayDraw(min_digits, *drawn)) << "step " << step << " id " << drawn->id;
      model.Set(drawn->id, IdState::kTaken);
    } else {
      const uint32_t id = 1 + random(crowd);
      const IdState state = static_cast<IdState>(random(4));
      pool.Set(id, state);
      model.Set(id, state);
    }
    const uint32_t looked_at = 1 + random(crowd);
    ASSERT_EQ(pool.state(looked_at), model.state(looked_at)) << "step " << step;
    ASSERT_LE(pool.entries(), 4 * model.not_free());
    const size_t limit = random(2) == 0 ? 1 + random(5) : 1 + random(400);
    ASSERT_EQ(pool.Above(looked_at - 1, limit), model.Above(looked_at - 1, limit));
  }
  for (uint32_t id = 1; id < 1000; ++id) ASSERT_EQ(pool.state(id), model.state(id));
}

INSTANTIATE_TEST_SUITE_P(Seeds, IdPoolProperty, testing::Range(1u, 21u));

TEST(IdPool, AllShorterLengthsAreFull) {
  Random random(3);
  IdPool pool;
  for (int i = 0; i < 200'000; ++i) ASSERT_TRUE(pool.Draw(0, Below(random)).has_value());
  EXPECT_EQ(std::to_string(pool.Draw(0, Below(random))->id).size(), 6u);
  pool.Set(12'345, IdState::kFree);
  EXPECT_EQ(pool.Draw(0, Below(random))->id, 12'345u);
}

}  // namespace
}  // namespace wormhole::relay
