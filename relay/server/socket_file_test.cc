#include "relay/server/socket_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "relay/config/socket_address.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

class SocketFileTest : public ::testing::Test {
 protected:
  static int Bind(const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  static int Listen(const std::string& path) {
    const int fd = Bind(path);
    EXPECT_EQ(listen(fd, 1), 0);
    return fd;
  }

  static void ExpectRefused(const std::string& path, const char* why) {
    const auto place = SocketPlace::Make(path, kNone);
    EXPECT_EQ(place.status().code(), absl::StatusCode::kUnavailable) << path;
    EXPECT_TRUE(absl::StrContains(place.status().message(), why)) << place.status();
  }

  // What gRPC does between Make and Publish; `fd` listens.
  std::unique_ptr<SocketPlace> Serve(const std::string& path, int& fd) {
    auto place = SocketPlace::Make(path, kNone);
    EXPECT_EQ(place.status(), absl::OkStatus());
    if (!place.ok()) return nullptr;
    fd = Listen((*place)->bind_path());
    EXPECT_EQ((*place)->Publish(), absl::OkStatus());
    return *std::move(place);
  }

  // As another user's process may that can read the folder.
  int HoldLock() {
    const int fd = open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_EQ(flock(fd, LOCK_EX), 0);
    return fd;
  }

  static constexpr absl::Duration kNone = absl::ZeroDuration();
  const wormhole::testing::TempFolder folder_{
      "/tmp"};  // short: a socket's path has at most 107 bytes
};

TEST_F(SocketFileTest, WhatIsBoundHasTheNameThatThereIsRoomFor) {
  const auto place = SocketPlace::Make(folder_.File("s"), kNone);
  ASSERT_TRUE(place.ok());
  EXPECT_EQ((*place)->bind_path().size(), folder_.path().size() + 1 + kBindNameSize);
}

TEST_F(SocketFileTest, AFreePathIsTakenWhenItIsPublished) {
  const std::string path = folder_.File("socket");
  const auto place = SocketPlace::Make(path, kNone);
  ASSERT_TRUE(place.ok());
  const int fd = Listen((*place)->bind_path());
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ((*place)->Publish(), absl::OkStatus());
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists((*place)->bind_path()));
  (*place)->Leave();
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  close(fd);
}

TEST_F(SocketFileTest, AStaleSocketIsReplaced) {
  const std::string path = folder_.File("socket");
  close(Listen(path));
  ASSERT_TRUE(std::filesystem::exists(path));
  int fd = -1;
  const auto place = Serve(path, fd);
  ExpectRefused(path, "another process listens");
  close(fd);
}

TEST_F(SocketFileTest, ASocketThatVanishesIsNoLiveOne) {
  const std::string path = folder_.File("socket");
  std::atomic<bool> done = false;
  std::thread owner([&] {
    while (!done) {
      close(Bind(path));
      unlink(path.c_str());
    }
  });
  // Nobody ever listens; it may be removed between the two looks at it.
  for (int i = 0; i < 3000; ++i) {
    const auto place = SocketPlace::Make(path, kNone);
    if (place.ok()) continue;
    ADD_FAILURE() << "try " << i << ": " << place.status();
    break;
  }
  done = true;
  owner.join();
}

TEST_F(SocketFileTest, ALiveOneIsRefused) {
  const std::string path = folder_.File("socket");
  const int fd = Listen(path);
  for (int i = 0; i < 4; ++i) ExpectRefused(path, "another process listens");  // a full queue, too
  EXPECT_TRUE(std::filesystem::exists(path));
  close(fd);
}

TEST_F(SocketFileTest, AFileIsNotTouched) {
  const std::string path = folder_.File("precious");
  std::ofstream(path) << "data";
  ExpectRefused(path, "a file that is no socket");
  EXPECT_EQ(std::filesystem::file_size(path), 4u);
  const std::string link = folder_.File("link");
  std::filesystem::create_symlink(path, link);
  ExpectRefused(link, "a file that is no socket");
}

TEST_F(SocketFileTest, AFolderThatIsNoneIsRefused) {
  ExpectRefused(folder_.File("none/socket"), "No such file or directory");
}

TEST_F(SocketFileTest, TheSocketIsForOwnerAndGroup) {
  const std::string path = folder_.File("socket");
  int fd = -1;
  const auto place = Serve(path, fd);
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  close(fd);
}

TEST_F(SocketFileTest, AFolderThatSomebodyKeepsLockedIsRefused) {
  const int lock = HoldLock();
  ExpectRefused(folder_.File("socket"), "another process holds the lock of its folder; stop it");
  close(lock);
}

TEST_F(SocketFileTest, AFolderThatIsLockedForAWhileIsAwaited) {
  const int lock = HoldLock();
  absl::Status made = absl::UnknownError("not yet");
  std::thread waiting(
      [&] { made = SocketPlace::Make(folder_.File("socket"), absl::InfiniteDuration()).status(); });
  close(lock);
  waiting.join();
  EXPECT_EQ(made, absl::OkStatus());
}

TEST_F(SocketFileTest, OneThatServesHoldsNoLock) {
  int fd = -1, other_fd = -1;
  const auto place = Serve(folder_.File("socket"), fd);
  const auto other = Serve(folder_.File("other"), other_fd);
  EXPECT_NE(other, nullptr);
  close(fd);
  close(other_fd);
}

TEST_F(SocketFileTest, OneThatLeavesLeavesItsSuccessorsSocket) {
  const std::string path = folder_.File("socket");
  int fd = -1, next_fd = -1;
  auto place = Serve(path, fd);
  close(fd);  // no longer listening, and not yet gone
  const auto next = Serve(path, next_fd);
  place->Leave();
  place.reset();
  ExpectRefused(path, "another process listens");
  close(next_fd);
}

TEST_F(SocketFileTest, WithoutTheLockASocketStays) {
  const std::string path = folder_.File("socket");
  int fd = -1;
  auto place = Serve(path, fd);
  const int lock = HoldLock();
  place.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
  close(lock);
  close(fd);
}

}  // namespace
}  // namespace wormhole::relay
