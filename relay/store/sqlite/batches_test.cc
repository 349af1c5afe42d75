// What a batch has changed, written, read again, and taken back.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/sqlite/batch_changes.h"
#include "relay/store/sqlite/sqlite_backlog.h"
#include "relay/store/sqlite/stored_channels.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'700'000'000 + seconds); }

ChannelRecord Record(const std::string& initiator, const std::string& receiver = "") {
  ChannelRecord record{.created_at = At(0), .due_at = At(600)};
  record.member(Role::kInitiator).side = initiator;
  record.member(Role::kReceiver).side = receiver;
  return record;
}

ChannelRecord Closed(ChannelRecord record) {
  record.life = Life::kClosed;
  record.ended_by = rendezvous::v1::MOOD_HAPPY;
  record.due_at = At(1200);
  return record;
}

// All that can be asked for, of the ids 1 to 9 and sides of one letter.
std::vector<std::string> Contents(const MemoryChannels& channels) {
  std::vector<std::string> lines;
  for (uint32_t id = 1; id <= 9; ++id) {
    const KeptChannel* const channel = channels.Get({"app", id});
    if (channel == nullptr) continue;
    std::string line = std::to_string(id) + " v" + std::to_string(channel->record.version) + " " +
                       channel->record.member(Role::kInitiator).side + "-" +
                       channel->record.member(Role::kReceiver).side +
                       (channel->record.ended() ? " ended" : "");
    for (const KeptLog& log : channel->logs) {
      line += " " + std::to_string(log.state.forgotten) + ".." + std::to_string(log.state.stored) +
              "/" + std::to_string(log.state.accepted) + "/" + std::to_string(log.state.bytes);
      for (const auto& frame : log.frames) line += "," + *frame;
    }
    lines.push_back(line);
  }
  for (char side = 'a'; side <= 'z'; ++side) {
    const auto id = channels.FindSide("app", std::string(1, side));
    if (id) lines.push_back(std::string(1, side) + " is of " + std::to_string(*id));
  }
  for (const ChannelKey& key : channels.FindDue(absl::InfiniteFuture(), 100)) {
    lines.push_back("due " + std::to_string(key.id));
  }
  lines.push_back(std::to_string(channels.stored_bytes()) + " bytes");
  return lines;
}

class BatchesTest : public ::testing::Test {
 protected:
  BatchesTest() {
    channels_.Put(key_, 0, Record("a"));
    channels_.Put(key_, 1, Record("a", "b"));
    Append(key_, 2, Role::kInitiator, 1, "one");
    Append(key_, 2, Role::kInitiator, 2, "two");
    channels_.Put({"app", 2}, 0, Closed(Record("c", "d")));
    Commit();
  }

  void Append(const ChannelKey& key, uint64_t version, Role author, uint64_t number,
              const std::string& frame) {
    EXPECT_EQ(channels_.Append(key, version, author, number, frame).outcome, AppendOutcome::kDone);
  }

  // The batch goes into the file.
  store::StoredBatch Commit() {
    store::StoredBatch batch = changes_.Describe(channels_);
    changes_.Clear();
    EXPECT_TRUE(stored_.Apply(++number_, batch).ok());
    return batch;
  }

  // What a start reads of the file.
  std::vector<std::string> Reopened() {
    MemoryChannels read;
    StoredChannels copy = stored_;
    const absl::Status moved = copy.MoveTo(read);
    EXPECT_TRUE(moved.ok()) << moved;
    return Contents(read);
  }

  const ChannelKey key_ = {"app", 1};
  BatchChanges changes_;
  MemoryChannels channels_{&changes_};
  StoredChannels stored_;
  int64_t number_ = 0;
};

TEST_F(BatchesTest, WhatIsWrittenIsReadAgain) {
  EXPECT_EQ(Reopened(), Contents(channels_));
  ASSERT_TRUE(channels_.Accept(key_, Role::kInitiator, 1).ok());
  Append(key_, 2, Role::kReceiver, 1, "three");
  Append(key_, 2, Role::kInitiator, 3, "four");
  Commit();
  EXPECT_EQ(Reopened(), Contents(channels_));
  ASSERT_TRUE(channels_.Accept(key_, Role::kInitiator, 7).ok());
  Append(key_, 2, Role::kInitiator, 4, "accepted before it came");
  Commit();
  EXPECT_EQ(Reopened(), Contents(channels_));
  channels_.Put(key_, 2, Closed(Record("a", "b")));
  Commit();
  EXPECT_EQ(Reopened(), Contents(channels_));
}

TEST_F(BatchesTest, OnlyWhatIsNewIsWritten) {
  Append(key_, 2, Role::kInitiator, 3, "three");
  const store::StoredBatch batch = Commit();
  ASSERT_EQ(batch.channels_size(), 1);
  EXPECT_FALSE(batch.channels(0).has_record());
  EXPECT_FALSE(batch.channels(0).has_receiver());
  EXPECT_THAT(batch.channels(0).initiator().frames(), ElementsAre("three"));
}

TEST_F(BatchesTest, WhatComesAndGoesInABatchIsNotWritten) {
  Append(key_, 2, Role::kReceiver, 1, "read at once");
  ASSERT_TRUE(channels_.Accept(key_, Role::kReceiver, 1).ok());
  channels_.Put({"app", 3}, 0, Record("e"));
  channels_.Erase({"app", 3}, 1);
  const store::StoredBatch batch = Commit();
  ASSERT_EQ(batch.channels_size(), 1);
  EXPECT_THAT(batch.channels(0).receiver().frames(), IsEmpty());
  EXPECT_EQ(Reopened(), Contents(channels_));
}

TEST_F(BatchesTest, ReadsAndRepeatsChangeNothing) {
  Append(key_, 2, Role::kInitiator, 1, "one");
  ASSERT_TRUE(channels_.Accept(key_, Role::kInitiator, 0).ok());
  channels_.Due(At(0), 10);
  EXPECT_EQ(Commit().ByteSizeLong(), 0u);
}

// The same initiator, the same time, and as many frames as before.
TEST_F(BatchesTest, AChannelThatIsMadeAnewInABatchIsAnother) {
  channels_.Erase(key_, 2);
  channels_.Put(key_, 0, Record("a"));
  channels_.Put(key_, 1, Record("a", "b"));
  Append(key_, 2, Role::kInitiator, 1, "another one");
  Append(key_, 2, Role::kInitiator, 2, "another two");
  Append(key_, 2, Role::kInitiator, 3, "another three");
  Commit();
  EXPECT_EQ(Reopened(), Contents(channels_));
}

TEST_F(BatchesTest, SidesThatRestAreWritten) {
  const ChannelKey second = {"app", 2};
  channels_.Put(second, 1, Record("e"));
  Commit();
  EXPECT_EQ(Reopened(), Contents(channels_));
  channels_.Put(second, 2, Closed(Record("e")));
  channels_.Put(second, 3, Record("f"));
  channels_.Due(At(1200), 10);
  EXPECT_EQ(channels_.FindSide("app", "c"), std::nullopt);
  channels_.Put({"app", 4}, 0, Record("c"));
  Commit();
  EXPECT_EQ(Reopened(), Contents(channels_));
}

TEST_F(BatchesTest, ABatchIsTakenBack) {
  const std::vector<std::string> before = Contents(channels_);
  Append(key_, 2, Role::kInitiator, 3, "three");
  ASSERT_TRUE(channels_.Accept(key_, Role::kInitiator, 2).ok());
  const ChannelKey second = {"app", 2};
  channels_.Put(second, 1, Closed(Record("e")));
  channels_.Put(second, 2, Record("f"));
  channels_.Due(At(1200), 10);
  // Sides that were members go elsewhere, and come to rest.
  channels_.Erase(key_, 2);
  channels_.Put({"app", 3}, 0, Closed(Record("a", "c")));
  channels_.Put({"app", 3}, 1, Record("b"));
  EXPECT_NE(Contents(channels_), before);
  changes_.TakeBack(channels_);
  changes_.Clear();
  EXPECT_EQ(Contents(channels_), before);
  Append(key_, 2, Role::kInitiator, 3, "three");
  Commit();
  EXPECT_EQ(Reopened(), Contents(channels_));
}

// --- Rows and batches.

// Of a row that is newer than the batch nothing is changed; a channel that a later batch forgets,
// and whose row is gone, may come back meanwhile with a side that is another's by now.
TEST_F(BatchesTest, ABatchThatARowReflectsIsPassedOver) {
  StoredChannels file;
  ASSERT_TRUE(file.AddRow({"app", 5}, 4, *channels_.Get(key_)).ok());
  store::StoredBatch batch;
  batch.add_channels()->set_app_id("app");
  batch.mutable_channels(0)->set_id(5);
  batch.mutable_channels(0)->mutable_initiator()->set_stored(1);
  EXPECT_TRUE(file.Apply(4, batch).ok());
  EXPECT_TRUE(absl::IsDataLoss(file.Apply(5, batch)));
}

TEST_F(BatchesTest, AChannelThatGoesLaterMayComeBackMeanwhile) {
  StoredChannels file;
  ASSERT_TRUE(file.AddRow(key_, 9, *channels_.Get(key_)).ok());
  store::StoredBatch made;
  made.add_channels()->set_app_id("app");
  made.mutable_channels(0)->set_id(6);
  made.mutable_channels(0)->set_fresh(true);
  made.mutable_channels(0)->mutable_record()->set_initiator("a");
  made.mutable_channels(0)->mutable_record()->set_version(1);
  EXPECT_TRUE(file.Apply(5, made).ok());
  store::StoredBatch gone;
  gone.add_channels()->set_app_id("app");
  gone.mutable_channels(0)->set_id(6);
  gone.mutable_channels(0)->set_erased(true);
  StoredChannels damaged = file;
  EXPECT_TRUE(file.Apply(6, gone).ok());
  MemoryChannels read;
  EXPECT_TRUE(file.MoveTo(read).ok());
  MemoryChannels others;
  EXPECT_TRUE(absl::IsDataLoss(damaged.MoveTo(others)));
}

TEST_F(BatchesTest, WhatNoRelayHasWrittenIsDamage) {
  const auto add = [](const ChannelKey& key, KeptChannel channel) {
    return StoredChannels().AddRow(key, 1, std::move(channel));
  };
  KeptChannel channel = *channels_.Get(key_);
  EXPECT_TRUE(add(key_, channel).ok());
  EXPECT_TRUE(absl::IsDataLoss(add({"app", 0}, channel)));
  EXPECT_TRUE(absl::IsDataLoss(add({"app", kMaxChannelId + 1}, channel)));
  channel.logs[Role::kInitiator].frames.pop_back();
  EXPECT_TRUE(absl::IsDataLoss(add(key_, channel)));
  channel = *channels_.Get(key_);
  channel.logs[Role::kInitiator].state.accepted = 1;  // then one would be forgotten
  EXPECT_TRUE(absl::IsDataLoss(add(key_, channel)));
  channel = *channels_.Get(key_);
  channel.logs[Role::kInitiator] = {};
  channel.logs[Role::kInitiator].state = {
      .stored = ~uint64_t{0}, .forgotten = ~uint64_t{0}, .accepted = ~uint64_t{0}};
  EXPECT_TRUE(absl::IsDataLoss(add(key_, channel)));
  channel = *channels_.Get(key_);
  channel.record.version = 0;
  EXPECT_TRUE(absl::IsDataLoss(add(key_, channel)));
  channel = *channels_.Get(key_);
  channel.record.life = static_cast<Life>(3);
  EXPECT_TRUE(absl::IsDataLoss(add(key_, channel)));
  channel = *channels_.Get(key_);
  channel.record.ended_by = static_cast<Mood>(77);
  EXPECT_TRUE(absl::IsDataLoss(add(key_, channel)));
}

TEST_F(BatchesTest, ABatchThatNoRelayHasWrittenIsDamage) {
  const auto apply = [](const std::function<void(store::StoredChange&)>& change) {
    store::StoredBatch batch;
    store::StoredChange& made = *batch.add_channels();
    made.set_app_id("app");
    made.set_id(6);
    made.set_fresh(true);
    made.mutable_record()->set_version(1);
    change(made);
    return StoredChannels().Apply(5, batch);
  };
  EXPECT_TRUE(apply([](auto&) {}).ok());
  EXPECT_TRUE(absl::IsDataLoss(apply([](auto& made) { made.set_id(uint32_t{1} << 30); })));
  EXPECT_TRUE(absl::IsDataLoss(apply([](auto& made) { made.clear_record(); })));
  EXPECT_TRUE(absl::IsDataLoss(apply([](auto& made) { made.mutable_record()->set_life(256); })));
  EXPECT_TRUE(absl::IsDataLoss(apply([](auto& made) { made.mutable_record()->set_version(0); })));
  EXPECT_TRUE(absl::IsDataLoss(apply([](auto& made) {
    made.mutable_initiator()->set_stored(~uint64_t{0});
    made.mutable_initiator()->set_forgotten(~uint64_t{0});
    made.mutable_initiator()->set_accepted(~uint64_t{0});
  })));
}

// --- What is behind.

TEST(SqliteBacklogTest, TheLongestBehindComeFirstAndTheirBatchesGo) {
  SqliteBacklog backlog;
  const auto batch_of = [](const std::vector<uint32_t>& ids) {
    store::StoredBatch batch;
    for (const uint32_t id : ids) {
      batch.add_channels()->set_app_id("app");
      batch.mutable_channels(batch.channels_size() - 1)->set_id(id);
    }
    return batch;
  };
  backlog.Add(1, 100, batch_of({4, 5}));
  backlog.Add(2, 10, batch_of({4, 6}));
  backlog.Add(3, 1, batch_of({7}));
  EXPECT_EQ(backlog.rows(), 4u);
  EXPECT_EQ(backlog.bytes(), 111u);
  const auto next = [&backlog](int64_t last, size_t rows) {
    const auto bytes_of = [](const ChannelKey& key) -> size_t { return key.id == 7 ? 1000 : 10; };
    return backlog.Next(last, {.rows = rows, .bytes = 100}, bytes_of, 4);
  };
  SqliteBacklog::Step step = next(2, 2);
  EXPECT_THAT(step.channels, ElementsAre(ChannelKey{"app", 4}, ChannelKey{"app", 5}));
  EXPECT_EQ(step.needed, 2);
  backlog.NoteDone(step);
  EXPECT_EQ(backlog.bytes(), 11u);
  step = next(2, 10);
  EXPECT_THAT(step.channels, ElementsAre(ChannelKey{"app", 6}));
  EXPECT_EQ(step.needed, 3);
  backlog.NoteDone(step);
  EXPECT_TRUE(next(2, 10).empty());
  step = next(3, 10);
  EXPECT_EQ(step.needed, 4);
  backlog.NoteDone(step);
  EXPECT_EQ(backlog.bytes(), 0u);
  EXPECT_EQ(backlog.rows(), 0u);
}

size_t NoBytes(const ChannelKey&) { return 0; }

TEST(SqliteBacklogTest, OfASideTheLastWordCounts) {
  SqliteBacklog backlog;
  store::StoredBatch rests;
  rests.add_rests()->set_app_id("app");
  rests.mutable_rests(0)->set_side("a");
  rests.mutable_rests(0)->set_id(4);
  store::StoredBatch ended;
  *ended.add_ended_rests() = rests.rests(0);
  backlog.Add(1, 10, rests);
  EXPECT_THAT(
      backlog.Next(1, {.rows = 10}, NoBytes, 2).rests,
      ElementsAre(Pair(Pair("app", "a"), Optional(::testing::Field(&RestingSide::id, 4u)))));
  backlog.Add(2, 10, ended);
  const SqliteBacklog::Step step = backlog.Next(2, {.rows = 10}, NoBytes, 3);
  EXPECT_THAT(step.rests, ElementsAre(Pair(Pair("app", "a"), std::nullopt)));
  backlog.NoteDone(step);
  EXPECT_TRUE(backlog.Next(2, {.rows = 10}, NoBytes, 3).empty());
  EXPECT_EQ(backlog.bytes(), 0u);
}

// As many may come to the end of their rest at once as have come to rest in ten minutes.
TEST(SqliteBacklogTest, SidesGoAFewAtATimeToo) {
  SqliteBacklog backlog;
  for (int64_t number = 1; number <= 3; ++number) {
    store::StoredBatch rests;
    rests.add_rests()->set_app_id("app");
    rests.mutable_rests(0)->set_side(std::string(1, static_cast<char>('a' + number)));
    backlog.Add(number, 10, rests);
  }
  SqliteBacklog::Step step = backlog.Next(3, {.rows = 2}, NoBytes, 4);
  EXPECT_EQ(step.rests.size(), 2u);
  EXPECT_EQ(step.needed, 3);
  backlog.NoteDone(step);
  step = backlog.Next(3, {.rows = 2}, NoBytes, 4);
  EXPECT_EQ(step.rests.size(), 1u);
  EXPECT_EQ(step.needed, 4);
}

TEST(SqliteBacklogTest, AStepIsBoundedByBytes) {
  SqliteBacklog backlog;
  store::StoredBatch batch;
  for (const uint32_t id : {1u, 2u, 3u}) {
    batch.add_channels()->set_app_id("app");
    batch.mutable_channels(batch.channels_size() - 1)->set_id(id);
  }
  backlog.Add(1, 10, batch);
  const auto bytes_of = [](const ChannelKey& key) -> size_t { return key.id == 3 ? 10 : 60; };
  SqliteBacklog::Step step = backlog.Next(1, {.rows = 10, .bytes = 100}, bytes_of, 2);
  EXPECT_THAT(step.channels, ElementsAre(ChannelKey{"app", 1}));
  EXPECT_EQ(step.needed, 1);
  step = backlog.Next(1, {.rows = 10, .bytes = 1}, bytes_of, 2);
  EXPECT_THAT(step.channels, ElementsAre(ChannelKey{"app", 1})) << "one at least";
}

}  // namespace
}  // namespace wormhole::relay
