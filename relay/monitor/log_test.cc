#include "relay/monitor/log.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

class LogTest : public ::testing::Test {
 protected:
  LogTest() { EXPECT_EQ(pipe2(fds_, O_CLOEXEC), 0); }
  ~LogTest() override {
    CloseWriting();
    if (fds_[0] >= 0) close(fds_[0]);
  }

  LogOptions Options(size_t queue_lines = 4096) {
    return {.fd = fds_[1], .queue_lines = queue_lines, .exit_timeout = std::chrono::minutes(1)};
  }
  void CloseWriting() {
    if (fds_[1] >= 0) close(fds_[1]);
    fds_[1] = -1;
  }
  // All there is until the other end is closed.
  std::vector<std::string> ReadLines() {
    std::string text;
    char buffer[4096];
    for (ssize_t size; (size = read(fds_[0], buffer, sizeof(buffer))) > 0;) {
      text.append(buffer, static_cast<size_t>(size));
    }
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  int fds_[2] = {-1, -1};
};

TEST_F(LogTest, WritesEveryLineBeforeItEnds) {
  {
    Log log({}, Options());
    for (uint64_t i = 0; i < 100; ++i) log.Info("line", {{"number", i}});
    log.Write(Log::Level::kDebug, "not at this level");
    EXPECT_TRUE(log.Takes(Log::Level::kWarn));
    EXPECT_FALSE(log.Takes(Log::Level::kDebug));
    EXPECT_EQ(log.lines_lost(), 0u);
  }
  CloseWriting();
  const std::vector<std::string> lines = ReadLines();
  ASSERT_EQ(lines.size(), 100u);
  EXPECT_EQ(lines[7].substr(lines[7].find('Z')), "Z info line number=7");
}

TEST_F(LogTest, LinesOfThreadsDoNotMix) {
  {
    Log log({.format = LogChoice::Format::kJson}, Options());
    std::vector<std::thread> threads;
    for (uint64_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&log, thread] {
        for (int i = 0; i < 100; ++i) log.Info(std::string(50, 'x'), {{"thread", thread}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  CloseWriting();
  const std::vector<std::string> lines = ReadLines();
  EXPECT_EQ(lines.size(), 400u);
  for (const std::string& line : lines) {
    EXPECT_EQ(nlohmann::json::parse(line)["message"], std::string(50, 'x'));
  }
}

// The pipe has room for a page, the queue for eight lines: whoever logs goes on, and what is read
// later tells of every line that is missing.
TEST_F(LogTest, AReaderThatStandsStillHoldsUpNobody) {
  ASSERT_GT(fcntl(fds_[1], F_SETPIPE_SZ, 4096), 0);
  constexpr uint64_t kLines = 10'000;
  std::optional<Log> log(std::in_place, LogChoice{.format = LogChoice::Format::kJson}, Options(8));
  for (uint64_t i = 0; i < kLines; ++i) log->Info("line", {{"number", i}});
  const uint64_t lost = log->lines_lost();
  EXPECT_GT(lost, kLines / 2);
  std::thread end([&] {
    log.reset();
    CloseWriting();
  });
  uint64_t told = 0;
  uint64_t read = 0;
  for (const std::string& line : ReadLines()) {
    const auto object = nlohmann::json::parse(line);
    (object["message"] == "line" ? ++read : told += object["lines"].get<uint64_t>());
  }
  end.join();
  EXPECT_EQ(told, lost);
  EXPECT_EQ(read + told, kLines);
}

TEST_F(LogTest, TheEndDoesNotWaitForAReaderForEver) {
  ASSERT_GT(fcntl(fds_[1], F_SETPIPE_SZ, 4096), 0);
  LogOptions options = Options();
  options.exit_timeout = std::chrono::milliseconds(1);
  Log log({}, options);
  for (int i = 0; i < 1000; ++i) log.Info(std::string(100, 'x'));
}

TEST_F(LogTest, WhatCannotBeWrittenIsCounted) {
  signal(SIGPIPE, SIG_IGN);
  close(std::exchange(fds_[0], -1));
  Log log({}, Options());
  for (int i = 0; i < 10; ++i) log.Info("line");
  while (log.lines_lost() < 10) std::this_thread::yield();
}

}  // namespace
}  // namespace wormhole::relay
