// Logs: appending, accepting, reading.
#include <cstdint>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/contract.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

TEST_P(StoreContractTest, FramesAreKeptInOrderPerAuthor) {
  Call().Put(key_, 0, Record("i", "r"));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 1, "one"),
              Appended(AppendOutcome::kDone, LogState{.stored = 1, .bytes = 3}));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 2, ""),
              Appended(AppendOutcome::kDone, LogState{.stored = 2, .bytes = 3}));
  EXPECT_THAT(Call().Append(key_, 1, kReceiver, 1, "their one"),
              Appended(AppendOutcome::kDone, LogState{.stored = 1, .bytes = 9}));
  EXPECT_THAT(Call().Read(key_, kInitiator), ElementsAre(Frame(1u, "one"), Frame(2u, "")));
  EXPECT_THAT(Call().Read(key_, kReceiver), ElementsAre(Frame(1u, "their one")));
}

TEST_P(StoreContractTest, TheSameBytesAgainAreDoneAndOthersAConflict) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "one");
  Call().Append(key_, 1, kInitiator, 2, "two");
  const LogState log = {.stored = 2, .bytes = 6};
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 1, "one"), Appended(AppendOutcome::kDone, log));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 1, "One"),
              Appended(AppendOutcome::kConflict, log));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 2, "two\0"), Appended(AppendOutcome::kDone, log));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 2, std::string("two\0", 4)),
              Appended(AppendOutcome::kConflict, log));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 2, ""), Appended(AppendOutcome::kConflict, log));
  EXPECT_THAT(Call().Read(key_, kInitiator), ElementsAre(Frame(1u, "one"), Frame(2u, "two")));
}

TEST_P(StoreContractTest, AGapIsRefused) {
  Call().Put(key_, 0, Record("i", "r"));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 0, "x"),
              Appended(AppendOutcome::kGap, LogState()));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 2, "x"),
              Appended(AppendOutcome::kGap, LogState()));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, kHuge, "x"),
              Appended(AppendOutcome::kGap, LogState()));
  EXPECT_THAT(Call().Read(key_, kInitiator), IsEmpty());
}

TEST_P(StoreContractTest, AnAppendHoldsToItsVersion) {
  Call().Put(key_, 0, Record("i"));
  Call().Put(key_, 1, Record("i", "r"));
  EXPECT_EQ(Call().Append(key_, 1, kInitiator, 1, "x").outcome, AppendOutcome::kStale);
  EXPECT_EQ(Call().Append(key_, 3, kInitiator, 1, "x").outcome, AppendOutcome::kStale);
  EXPECT_EQ(Call().Append(key_, 2, kInitiator, 1, "x").outcome, AppendOutcome::kDone);
  EXPECT_EQ(Call().Load(key_)->record.version, 2u);  // logs don't count
}

TEST_P(StoreContractTest, AChangeOfTheRecordKeepsTheLogs) {
  Call().Put(key_, 0, Record("i"));
  Call().Append(key_, 1, kInitiator, 1, "x");
  Call().Put(key_, 1, Record("i", "r"));
  EXPECT_EQ(Call().Load(key_)->log(kInitiator), (LogState{.stored = 1, .bytes = 1}));
  EXPECT_THAT(Call().Read(key_, kInitiator), ElementsAre(Frame(1u, "x")));
}

TEST_P(StoreContractTest, AnEndedChannelHasEmptyLogs) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "x");
  Call().Append(key_, 1, kReceiver, 1, "y");
  Call().Accept(key_, kReceiver, 1).IgnoreError();
  Call().Put(key_, 1, Closed(Record("i", "r")));
  EXPECT_EQ(Call().Load(key_)->log(kInitiator), LogState());
  EXPECT_EQ(Call().Load(key_)->log(kReceiver), LogState());
  EXPECT_THAT(Call().Read(key_, kInitiator), IsEmpty());
}

TEST_P(StoreContractTest, AcceptedFramesAreForgotten) {
  Call().Put(key_, 0, Record("i", "r"));
  for (uint64_t n = 1; n <= 4; ++n) Call().Append(key_, 1, kInitiator, n, std::string(n, 'x'));
  EXPECT_EQ(*Call().Accept(key_, kInitiator, 2),
            (LogState{.stored = 4, .forgotten = 2, .accepted = 2, .bytes = 7}));
  EXPECT_THAT(Call().Read(key_, kInitiator), ElementsAre(Frame(3u, "xxx"), Frame(4u, "xxxx")));
  EXPECT_EQ(*Call().Accept(key_, kInitiator, 4),
            (LogState{.stored = 4, .forgotten = 4, .accepted = 4}));
  EXPECT_THAT(Call().Read(key_, kInitiator), IsEmpty());
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 5, "five"),
              Appended(AppendOutcome::kDone,
                       LogState{.stored = 5, .forgotten = 4, .accepted = 4, .bytes = 4}));
}

TEST_P(StoreContractTest, ARecordBringsAnAcknowledgementAlong) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "one");
  Call().Append(key_, 1, kInitiator, 2, "two");
  ChannelRecord left = Record("i", "r");
  left.member(kReceiver).left = true;
  EXPECT_EQ(Call().Put(key_, 0, left, {.accepted = {2, 0}}), PutOutcome::kStale);
  EXPECT_EQ(Call().Load(key_)->log(kInitiator).accepted, 0u);
  EXPECT_EQ(Call().Put(key_, 1, left, {.accepted = {2, 0}}), PutOutcome::kDone);
  EXPECT_EQ(Call().Load(key_)->log(kInitiator),
            (LogState{.stored = 2, .forgotten = 2, .accepted = 2}));
  EXPECT_EQ(Call().Put(key_, 2, left, {.accepted = {1, 7}}), PutOutcome::kDone);
  EXPECT_EQ(Call().Load(key_)->log(kInitiator).accepted, 2u);
  EXPECT_EQ(Call().Load(key_)->log(kReceiver), (LogState{.accepted = 7}));
  EXPECT_EQ(Call().Put(key_, 3, Closed(left), {.accepted = {9, 9}}), PutOutcome::kDone);
  EXPECT_EQ(Call().Load(key_)->log(kInitiator), LogState());
}

TEST_P(StoreContractTest, AcceptNeverGoesBack) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "x");
  Call().Append(key_, 1, kInitiator, 2, "y");
  const LogState log = {.stored = 2, .forgotten = 1, .accepted = 1, .bytes = 1};
  EXPECT_EQ(*Call().Accept(key_, kInitiator, 1), log);
  EXPECT_EQ(*Call().Accept(key_, kInitiator, 0), log);
  EXPECT_EQ(*Call().Accept(key_, kInitiator, 1), log);
  EXPECT_EQ(Call().Load(key_)->log(kInitiator), log);
  EXPECT_EQ(Call().Load(key_)->log(kReceiver), LogState());
}

TEST_P(StoreContractTest, AForgottenNumberIsDoneWithoutComparison) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "x");
  Call().Accept(key_, kInitiator, 1).IgnoreError();
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 1, "other bytes"),
              Appended(AppendOutcome::kDone, LogState{.stored = 1, .forgotten = 1, .accepted = 1}));
}

TEST_P(StoreContractTest, WhatTheReaderHasIsCountedButNotKept) {
  Call().Put(key_, 0, Record("i", "r"));
  EXPECT_EQ(*Call().Accept(key_, kInitiator, 2), (LogState{.accepted = 2}));
  EXPECT_EQ(Call().Append(key_, 1, kInitiator, 2, "y").outcome, AppendOutcome::kGap);
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 1, "x"),
              Appended(AppendOutcome::kDone, LogState{.stored = 1, .forgotten = 1, .accepted = 2}));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 2, "y"),
              Appended(AppendOutcome::kDone, LogState{.stored = 2, .forgotten = 2, .accepted = 2}));
  EXPECT_THAT(Call().Append(key_, 1, kInitiator, 3, "z"),
              Appended(AppendOutcome::kDone,
                       LogState{.stored = 3, .forgotten = 2, .accepted = 2, .bytes = 1}));
  EXPECT_THAT(Call().Read(key_, kInitiator), ElementsAre(Frame(3u, "z")));
}

TEST_P(StoreContractTest, TheLargestCursorIsKept) {
  Call().Put(key_, 0, Record("i", "r"));
  Call().Append(key_, 1, kInitiator, 1, "x");
  const LogState log = {.stored = 1, .forgotten = 1, .accepted = kHuge};
  EXPECT_EQ(*Call().Accept(key_, kInitiator, kHuge), log);
  EXPECT_EQ(Call().Load(key_)->log(kInitiator), log);
  EXPECT_THAT(Call().Read(key_, kInitiator, kHuge), IsEmpty());
}

TEST_P(StoreContractTest, ReadGivesWhatFitsAndAtLeastOne) {
  Call().Put(key_, 0, Record("i", "r"));
  for (uint64_t n = 1; n <= 4; ++n) Call().Append(key_, 1, kInitiator, n, std::string(10, 'x'));
  EXPECT_EQ(Call().Read(key_, kInitiator, 0, 0).size(), 1u);
  EXPECT_EQ(Call().Read(key_, kInitiator, 0, 19).size(), 1u);
  EXPECT_EQ(Call().Read(key_, kInitiator, 0, 20).size(), 2u);
  EXPECT_EQ(Call().Read(key_, kInitiator, 0, 1000).size(), 4u);
  EXPECT_EQ(Call().Read(key_, kInitiator, 2, 1000).front().number, 3u);
  EXPECT_THAT(Call().Read(key_, kInitiator, 4), IsEmpty());
  EXPECT_THAT(Call().Read(key_, kInitiator, 5), IsEmpty());
}

TEST_P(StoreContractTest, LargeFramesComeBackAsTheyWere) {
  Call().Put(key_, 0, Record("i", "r"));
  std::string large(66'000, '\0');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 3);
  for (uint64_t n = 1; n <= 16; ++n) Call().Append(key_, 1, kReceiver, n, large);
  EXPECT_EQ(Call().Append(key_, 1, kReceiver, 16, large).outcome, AppendOutcome::kDone);
  const auto frames = Call().Read(key_, kReceiver, 0, 1 << 24);
  ASSERT_EQ(frames.size(), 16u);
  for (const StoredFrame& frame : frames) EXPECT_EQ(frame.frame, large);
  EXPECT_EQ(Call().Load(key_)->log(kReceiver), (LogState{.stored = 16, .bytes = 16 * 66'000}));
}

// A relay that has not heard yet that its channel is over must not touch the next one's logs.
TEST_P(StoreContractTest, TheLogsOfAnEarlierChannelAreGone) {
  const ChannelRef earlier(key_, Side("i"));
  const ChannelRef later(key_, Side("j"));
  Call().Put(key_, 0, Record("i", "r"));
  EXPECT_EQ(Call().Append(earlier, 1, kInitiator, 1, "old").outcome, AppendOutcome::kDone);
  EXPECT_THAT(Call().Read(earlier, kInitiator), ElementsAre(Frame(1u, "old")));
  EXPECT_TRUE(Call().Accept(earlier, kReceiver, 3).ok());
  Call().Put(key_, 1, Closed(Record("i", "r")));
  Call().Put(key_, 2, Record("j", "s", 60));
  EXPECT_EQ(Call().Append(later, 3, kInitiator, 1, "new").outcome, AppendOutcome::kDone);
  EXPECT_EQ(Call().Append(earlier, 3, kInitiator, 2, "old").outcome, AppendOutcome::kStale);
  EXPECT_TRUE(absl::IsNotFound(Call().Accept(earlier, kInitiator, 1).status()));
  EXPECT_THAT(Call().Read(earlier, kInitiator), IsEmpty());
  EXPECT_THAT(Call().Read(later, kInitiator), ElementsAre(Frame(1u, "new")));
  EXPECT_EQ(Call().Load(key_)->log(kInitiator), (LogState{.stored = 1, .bytes = 3}));
}

}  // namespace
}  // namespace wormhole::relay
