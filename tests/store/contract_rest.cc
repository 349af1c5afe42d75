// The sides of ended channels whose place was taken rest until the quarantine is over.
#include <optional>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/contract.h"

namespace wormhole::relay {
namespace {

using ::testing::IsEmpty;
using ::testing::Optional;

// A late copy of what a side has said must not make it a member of another channel.
TEST_P(StoreRestTest, SidesOfAReplacedChannelRestUntilItsQuarantineIsOver) {
  const ChannelRecord ended = Closed(Record("i", "r"));
  ChannelRecord next = Record("j");
  next.due_at = ended.due_at + absl::Hours(1);
  Call().Put(key_, 0, ended);
  EXPECT_EQ(Call().Put(key_, 1, next), PutOutcome::kDone);
  const auto claimed_by = [&next](const char* name) {
    ChannelRecord claimed = next;
    claimed.member(kReceiver).side = Side(name);
    return claimed;
  };
  const ChannelKey other = {key_.app_id, 8};
  const auto expect_taken = [&] {
    EXPECT_THAT(Call().FindSide(key_.app_id, Side("i")), Optional(7u));
    EXPECT_THAT(Call().FindSide(key_.app_id, Side("r")), Optional(7u));
    EXPECT_EQ(Call().Put(key_, 2, claimed_by("r")), PutOutcome::kSideTaken);
    EXPECT_EQ(Call().Put(key_, 2, claimed_by("i")), PutOutcome::kSideTaken);
    EXPECT_EQ(Call().Put(other, 0, Record("i")), PutOutcome::kSideTaken);
    EXPECT_EQ(Call().Put(other, 0, Record("k", "r")), PutOutcome::kSideTaken);
  };
  expect_taken();
  EXPECT_THAT(Call().Due(ended.due_at - absl::Microseconds(1)), IsEmpty());
  expect_taken();
  EXPECT_THAT(Call().Due(ended.due_at), IsEmpty());
  EXPECT_EQ(Call().FindSide(key_.app_id, Side("i")), std::nullopt);
  EXPECT_EQ(Call().Put(key_, 2, claimed_by("r")), PutOutcome::kDone);
  EXPECT_EQ(Call().Put(other, 0, Record("i")), PutOutcome::kDone);
}

TEST_P(StoreRestTest, SidesOfAReplacedChannelRestBeyondTheNextOne) {
  const ChannelRecord ended = Closed(Record("i", "r"));
  Call().Put(key_, 0, ended);
  Call().Put(key_, 1, Closed(Record("j")));
  Call().Put(key_, 2, Record("k"));
  Call().Put({key_.app_id, 8}, 0, Record("l"));
  EXPECT_EQ(Call().Erase(key_, 3), PutOutcome::kDone);
  EXPECT_EQ(Call().Put(key_, 0, Record("r")), PutOutcome::kSideTaken);
  EXPECT_EQ(Call().Put(key_, 0, Record("j")), PutOutcome::kSideTaken);
  EXPECT_EQ(Call().Put(key_, 0, Record("k")), PutOutcome::kDone);
}

TEST_P(StoreRestTest, TheSamePlaceIsNotForTheSameSides) {
  Call().Put(key_, 0, Closed(Record("i", "r")));
  EXPECT_EQ(Call().Put(key_, 1, Record("r", "j")), PutOutcome::kSideTaken);
  EXPECT_EQ(Call().Put(key_, 1, Record("j", "i")), PutOutcome::kSideTaken);
  EXPECT_EQ(Call().Load(key_)->record.version, 1u);
}

}  // namespace
}  // namespace wormhole::relay
