#include "relay/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

class SocketFileTest : public testing::Test {
 protected:
  // Short: a socket's path has at most 107 bytes.
  SocketFileTest() {
    char folder[] = "/tmp/socket_file_test.XXXXXX";
    EXPECT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  ~SocketFileTest() override { std::filesystem::remove_all(folder_); }

  int Listen(const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(fd, 1), 0);
    return fd;
  }

  static void ExpectRefused(const std::string& path, const char* why) {
    const auto place = SocketPlace::Make(path);
    EXPECT_EQ(place.status().code(), absl::StatusCode::kUnavailable) << path;
    EXPECT_TRUE(absl::StrContains(place.status().message(), why)) << place.status();
  }

  std::string folder_;
};

TEST_F(SocketFileTest, PathsOfListeners) {
  EXPECT_EQ(SocketPath("unix:/run/relay.sock"), "/run/relay.sock");
  EXPECT_EQ(SocketPath("unix:///run/relay.sock"), "/run/relay.sock");
  EXPECT_EQ(SocketPath("unix:relay.sock"), "relay.sock");
  EXPECT_EQ(SocketPath("[::]:47180"), "");
  EXPECT_EQ(SocketPath("unix-abstract:x"), "");
}

TEST_F(SocketFileTest, AFreePathIsLeftAlone) {
  const std::string path = folder_ + "/socket";
  EXPECT_TRUE(SocketPlace::Make(path).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SocketFileTest, AStaleSocketIsRemoved) {
  const std::string path = folder_ + "/socket";
  close(Listen(path));
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(SocketPlace::Make(path).ok());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SocketFileTest, ALiveOneIsRefused) {
  const std::string path = folder_ + "/socket";
  const int fd = Listen(path);
  for (int i = 0; i < 4; ++i) ExpectRefused(path, "another process listens");  // a full queue, too
  EXPECT_TRUE(std::filesystem::exists(path));
  close(fd);
}

TEST_F(SocketFileTest, AFileIsNotTouched) {
  const std::string path = folder_ + "/precious";
  std::ofstream(path) << "data";
  ExpectRefused(path, "a file that is no socket");
  EXPECT_EQ(std::filesystem::file_size(path), 4u);
  const std::string link = folder_ + "/link";
  std::filesystem::create_symlink(path, link);
  ExpectRefused(link, "a file that is no socket");
}

TEST_F(SocketFileTest, AFolderThatIsNoneIsRefused) {
  ExpectRefused(folder_ + "/none/socket", "No such file or directory");
}

TEST_F(SocketFileTest, TheSocketIsForOwnerAndGroup) {
  const std::string path = folder_ + "/socket";
  const auto place = SocketPlace::Make(path);
  ASSERT_TRUE(place.ok());
  const int fd = Listen(path);
  EXPECT_EQ((*place)->Restrict(), absl::OkStatus());
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  close(fd);
}

}  // namespace
}  // namespace wormhole::relay
