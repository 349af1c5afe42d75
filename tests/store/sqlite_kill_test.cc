// A process that is killed with SIGKILL while it writes loses nothing that it was told is stored.
#include <signal.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/blocking_store.h"
#include "tests/store/kill_writer.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

constexpr char kWriter[] = "tests/store/kill_writer";

// The last number of the whole lines in `text`; 0 when there is none.
uint64_t LastNumber(const std::string& text) {
  uint64_t last = 0;
  for (const absl::string_view line : absl::StrSplit(text.substr(0, text.rfind('\n') + 1), '\n')) {
    uint64_t number = 0;
    if (absl::SimpleAtoi(line, &number)) last = number;
  }
  return last;
}

// Lets the writer run until it has told `more` numbers beyond `stored`, kills it, and returns the
// last number that it told.
uint64_t WriteAndKill(const std::string& file, uint64_t stored, uint64_t more) {
  testing::ChildProcess writer({.arguments = {kWriter, file}, .environment = {}, .input = ""});
  EXPECT_TRUE(writer.WaitFor(testing::ChildProcess::kOut, absl::StrCat(stored + more, "\n")))
      << writer.err();
  writer.Signal(SIGKILL);
  EXPECT_EQ(writer.WaitForExit(), 128 + SIGKILL);
  return LastNumber(writer.out());
}

TEST(SqliteKillTest, WhatWasAcknowledgedSurvivesSigkill) {
  const testing::TempFolder folder;
  const std::string file = folder.File("relay.db");
  std::mt19937_64 random(7);
  uint64_t stored = 0;
  for (int round = 0; round < 8; ++round) {
    const uint64_t acknowledged = WriteAndKill(file, stored, 1 + random() % 300);
    // The dead process's lock is gone with it.
    auto store = SqliteStore::Open(file);
    ASSERT_TRUE(store.ok()) << store.status();
    BlockingStore blocking(**store);
    const LogState log = blocking.Load(KilledChannel())->log(Role::kInitiator);
    EXPECT_GE(log.stored, acknowledged);
    const auto frames = blocking.Read(KilledChannel(), Role::kInitiator, 0, size_t{1} << 30);
    ASSERT_EQ(frames.size(), log.stored - log.forgotten);
    for (const StoredFrame& frame : frames) {
      ASSERT_EQ(frame.frame, KilledFrame(frame.number)) << frame.number;
    }
    // A log that is not forgotten would make each round longer than the last.
    EXPECT_TRUE(blocking.Accept(KilledChannel(), Role::kInitiator, log.stored).ok());
    stored = log.stored;
  }
}

}  // namespace
}  // namespace wormhole::relay
