#include "client/cli/data_source.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "client/cli/file_descriptor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

using ::testing::HasSubstr;

class DataSourceTest : public ::testing::Test {
 protected:
  DataSourceTest() : interrupt_(*Interrupt::Install()) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    reading_ = FileDescriptor(ends[0]);
    writing_ = FileDescriptor(ends[1]);
  }

  std::string FileOf(const std::string& content) {
    const std::string path = ::testing::TempDir() + "/data";
    std::ofstream(path) << content;
    return path;
  }

  void Write(std::string_view text) {
    ASSERT_EQ(write(writing_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  Interrupt interrupt_;
  FileDescriptor reading_;
  FileDescriptor writing_;
};

TEST_F(DataSourceTest, ReadsToTheEnd) {
  std::thread writer([this] {
    for (int i = 0; i < 65; ++i) Write(std::string(1000, static_cast<char>(i)));
    writing_ = FileDescriptor();
  });
  absl::StatusOr<std::string> data = ReadUpTo(reading_.get(), 65000, interrupt_);
  writer.join();
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->size(), 65000u);
  EXPECT_EQ((*data)[64999], 64);
}

// ReadUpTo notices too many bytes though the writer never ends.
TEST_F(DataSourceTest, OneByteTooManyIsNoticedWhileReading) {
  Write(std::string(101, 'x'));
  EXPECT_TRUE(absl::IsOutOfRange(ReadUpTo(reading_.get(), 100, interrupt_).status()));
}

TEST_F(DataSourceTest, ASignalEndsTheReading) {
  kill(getpid(), SIGINT);
  EXPECT_EQ(ReasonOf(ReadUpTo(reading_.get(), 100, interrupt_).status()), Reason::kCancelled);
  EXPECT_FALSE(interrupt_.Take());
}

TEST_F(DataSourceTest, Files) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(*ReadFile("--file", FileOf(bytes), 256, interrupt_), bytes);
  EXPECT_EQ(*ReadFile("--file", FileOf(""), 0, interrupt_), "");
  for (const auto& [path, message] :
       {std::pair<std::string, std::string>{FileOf(bytes),
                                            "--file " + FileOf(bytes) + " has more than 255 bytes"},
        {"/nonexistent", "cannot read --file /nonexistent: No such file"},
        {"/tmp", "is a folder"}}) {
    if (path == FileOf("")) FileOf(bytes);
    const absl::Status status = ReadFile("--file", path, 255, interrupt_).status();
    EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }
}

TEST_F(DataSourceTest, ANamedPipeCanBeInterrupted) {
  const std::string path = ::testing::TempDir() + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  kill(getpid(), SIGTERM);
  EXPECT_EQ(ReasonOf(ReadFile("--file", path, 10, interrupt_).status()), Reason::kCancelled);
  unlink(path.c_str());
}

TEST_F(DataSourceTest, WritingReportsWhatWentWrong) {
  signal(SIGPIPE, SIG_IGN);
  reading_ = FileDescriptor();
  EXPECT_FALSE(WriteAll(writing_.get(), "x", interrupt_).ok());
  EXPECT_FALSE(WriteAll(9999, "x", interrupt_).ok());
}

TEST_F(DataSourceTest, SyncIsForWhatHasADisk) {
  EXPECT_EQ(SyncOutput(writing_.get()), absl::OkStatus());
  FileDescriptor null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(SyncOutput(null.get()), absl::OkStatus());
  FileDescriptor file(open(FileOf("x").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(SyncOutput(file.get()), absl::OkStatus());
  EXPECT_FALSE(SyncOutput(9999).ok());
}

TEST_F(DataSourceTest, ASignalEndsTheWritingToASlowReader) {
  std::thread interrupter([this] {
    // The pipe is full when there are at least 4096 bytes in it to read and no more come: what is
    // certain is that the writer cannot get rid of a megabyte.
    char byte = 0;
    EXPECT_EQ(read(reading_.get(), &byte, 1), 1);
    kill(getpid(), SIGINT);
  });
  const absl::Status status = WriteAll(writing_.get(), std::string(1 << 20, 'x'), interrupt_);
  interrupter.join();
  EXPECT_EQ(ReasonOf(status), Reason::kCancelled);
}

}  // namespace
}  // namespace wormhole::cli
