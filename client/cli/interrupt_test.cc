#include "client/cli/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>

#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

class InterruptTest : public ::testing::Test {
 protected:
  InterruptTest() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    reading_ = FileDescriptor(ends[0]);
    writing_ = FileDescriptor(ends[1]);
  }

  absl::StatusOr<size_t> Read() {
    char byte = 0;
    return ReadSome(reading_.get(), &byte, 1, interrupt_);
  }

  Interrupt interrupt_ = *Interrupt::Install();
  FileDescriptor reading_;
  FileDescriptor writing_;
};

TEST_F(InterruptTest, InputIsWaitedForUntilTheDeadline) {
  interrupt_.set_deadline(Interrupt::Clock::now() + std::chrono::milliseconds(1));
  const absl::Status status = Read().status();
  EXPECT_EQ(ReasonOf(status), Reason::kTimeout);
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
}

TEST_F(InterruptTest, WhatIsThereCountsHoweverLateItIs) {
  interrupt_.set_deadline(Interrupt::Clock::now() - std::chrono::hours(1));
  ASSERT_EQ(write(writing_.get(), "x", 1), 1);
  EXPECT_EQ(*Read(), 1u);
  EXPECT_EQ(ReasonOf(Read().status()), Reason::kTimeout);
}

TEST_F(InterruptTest, DataIsWrittenAfterTheDeadlineToo) {
  interrupt_.set_deadline(Interrupt::Clock::now() - std::chrono::hours(1));
  EXPECT_TRUE(WriteAll(writing_.get(), "data", interrupt_).ok());
}

TEST_F(InterruptTest, ASignalComesFirst) {
  interrupt_.set_deadline(Interrupt::Clock::now() - std::chrono::hours(1));
  EXPECT_FALSE(interrupt_.taken());
  kill(getpid(), SIGTERM);
  EXPECT_EQ(ReasonOf(Read().status()), Reason::kCancelled);
  EXPECT_TRUE(interrupt_.taken());
}

// A standard input that was closed when the program began may be open like this.
TEST_F(InterruptTest, WhatCannotBeReadIsClosed) {
  reading_ = FileDescriptor(open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(absl::IsFailedPrecondition(Read().status()));
}

}  // namespace
}  // namespace wormhole::cli
