#include "relay/server/service_manager.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/notify_socket.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::NotifySocket;
using ::testing::StartsWith;
using testing::TempFolder;
using Stage = ServiceState::Stage;

ServiceState Serving() { return {.stage = Stage::kServing, .address = "[::]:47180"}; }

// Both kinds of socket; an abstract name is one for the whole machine.
class ServiceManagerTest : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<ServiceManager> Reach(microseconds watchdog = {}) {
    return *ServiceManager::Reach({.socket = socket_->name(), .watchdog = watchdog});
  }

  const TempFolder folder_{"/tmp"};  // a socket's path is short
  std::unique_ptr<NotifySocket> socket_ = std::make_unique<NotifySocket>(
      GetParam() ? absl::StrCat("@wormhole-service-manager-test-", getpid())
                 : folder_.File("notify"));
};

INSTANTIATE_TEST_SUITE_P(Sockets, ServiceManagerTest, ::testing::Bool(), [](const auto& kind) {
  return std::string(kind.param ? "Abstract" : "Path");
});

TEST_P(ServiceManagerTest, HearsWhatChanges) {
  const auto manager = Reach();
  manager->Tell({});
  EXPECT_EQ(socket_->Take(), "STATUS=Starting: the store is being opened\n");
  for (int tick = 0; tick < 3; ++tick) manager->Tell(Serving());
  EXPECT_EQ(socket_->Take(), "READY=1\nSTATUS=Serving on [::]:47180\n");
  EXPECT_EQ(socket_->Take(), "");

  ServiceState away = Serving();
  away.store = absl::UnavailableError("etcd: no majority");
  away.store_since = absl::FromUnixSeconds(1'700'000'000);
  manager->Tell(away);
  EXPECT_EQ(socket_->Take(),
            "STATUS=Listening on [::]:47180; store away since 2023-11-14 22:13:20 UTC: etcd: no "
            "majority\n");
  manager->Tell(Serving());
  EXPECT_EQ(socket_->Take(), "STATUS=Serving on [::]:47180\n");
}

TEST_P(ServiceManagerTest, HearsOfTheDrainAndHowLongItMayTake) {
  const auto manager = Reach();
  manager->Tell(Serving());
  socket_->Take();
  ServiceState state = {
      .stage = Stage::kStopping, .streams = 2, .stops_by = absl::Now() + absl::Minutes(10)};
  manager->Tell(state);
  const std::string first = socket_->Take();
  constexpr char kExtend[] = "STOPPING=1\nEXTEND_TIMEOUT_USEC=";
  ASSERT_THAT(first, StartsWith(kExtend));
  EXPECT_THAT(first, HasSubstr("\nSTATUS=Draining: 2 streams are left, until "));
  // Ten minutes, and something for what comes after.
  const double extended = std::strtod(first.c_str() + sizeof kExtend - 1, nullptr) / 1e6;
  EXPECT_GT(extended, 600);
  EXPECT_LT(extended, 660);
  state.streams = 1;
  manager->Tell(state);
  EXPECT_THAT(socket_->Take(), StartsWith("STATUS=Draining: 1 stream is left, until "));
  manager->Tell(state);
  manager->Tell(Serving());  // by a thread that has looked before
  EXPECT_EQ(socket_->Take(), "");
}

TEST_P(ServiceManagerTest, IsFedTwiceInItsTime) {
  const auto manager = Reach(seconds(2));
  const steady_clock::time_point start = steady_clock::now();
  int meals = 0;
  for (milliseconds at{0}; at <= seconds(10); at += milliseconds(250)) {
    manager->Feed(start + at);
    while (!socket_->Take().empty()) ++meals;
  }
  EXPECT_EQ(socket_->taken().front(), "WATCHDOG=1\n");
  EXPECT_EQ(meals, 11);

  const auto silent = Reach();
  silent->Feed(start);
  EXPECT_EQ(socket_->Take(), "");
}

TEST_P(ServiceManagerTest, WhoDoesNotListenHearsItLater) {
  const auto manager = Reach(seconds(2));
  const steady_clock::time_point now = steady_clock::now();
  socket_->Fill();
  manager->Tell(Serving());
  manager->Feed(now);
  while (!socket_->Take().empty()) {
  }
  EXPECT_THAT(socket_->taken(), Not(::testing::Contains(HasSubstr("READY"))));
  manager->Tell(Serving());
  manager->Feed(now);
  EXPECT_THAT(socket_->Take(), StartsWith("READY=1\n"));
  EXPECT_EQ(socket_->Take(), "WATCHDOG=1\n");

  // Gone, and there again.
  const std::string name = socket_->name();
  socket_.reset();
  ServiceState stopping = {.stage = Stage::kStopping, .stops_by = absl::Now()};
  manager->Tell(stopping);
  manager->Feed(now + seconds(5));
  socket_ = std::make_unique<NotifySocket>(name);
  manager->Tell(stopping);
  EXPECT_THAT(socket_->Take(), StartsWith("STOPPING=1\n"));
}

// Descriptors of this process that a program it starts would have.
std::set<std::string> InheritedDescriptors() {
  std::set<std::string> found;
  DIR* const folder = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(folder)) {
    int fd = 0;
    if (!absl::SimpleAtoi(entry->d_name, &fd)) continue;
    if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) found.insert(entry->d_name);
  }
  closedir(folder);
  return found;
}

TEST_P(ServiceManagerTest, AChildCannotSpeakForTheRelay) {
  const std::set<std::string> before = InheritedDescriptors();
  const auto manager = Reach();
  EXPECT_EQ(InheritedDescriptors(), before);

  setenv("NOTIFY_SOCKET", socket_->name().c_str(), 1);
  setenv("WATCHDOG_USEC", "3000000", 1);
  setenv("WATCHDOG_PID", absl::StrCat(getpid()).c_str(), 1);
  const ServiceRequest request = ServiceRequest::TakeFromEnvironment();
  EXPECT_EQ(request.socket, socket_->name());
  EXPECT_EQ(request.watchdog, seconds(3));
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    EXPECT_EQ(std::getenv(name), nullptr) << name;
  }
}

TEST(ServiceRequestTest, TheWatchdogOfAnotherProcessIsNotFed) {
  struct Case {
    const char* time;
    std::string pid;
    microseconds watchdog;
  };
  for (const Case& c : {Case{"2000000", absl::StrCat(getpid()), seconds(2)},
                        {"2000000", absl::StrCat(getppid()), {}},
                        {"2000000", "", seconds(2)},
                        {"0", "", {}},
                        {"-1", "", {}},
                        {"soon", "", {}}}) {
    setenv("WATCHDOG_USEC", c.time, 1);
    if (!c.pid.empty()) setenv("WATCHDOG_PID", c.pid.c_str(), 1);
    EXPECT_EQ(ServiceRequest::TakeFromEnvironment().watchdog, c.watchdog) << c.time << " " << c.pid;
  }
  EXPECT_EQ(ServiceRequest::TakeFromEnvironment().watchdog, microseconds(0));
}

TEST(ServiceRequestTest, ASocketThatIsNone) {
  EXPECT_EQ(*ServiceManager::Reach({}), nullptr);
  for (const std::string& socket :
       {std::string("notify"), std::string("vsock:2:5"), std::string("/"), std::string("@"),
        "/" + std::string(107, 'x')}) {
    const auto manager = ServiceManager::Reach({.socket = socket});
    EXPECT_EQ(manager.status().code(), absl::StatusCode::kInvalidArgument) << socket;
    EXPECT_THAT(std::string(manager.status().message()), HasSubstr("should be /PATH or @NAME"));
  }
  EXPECT_TRUE(ServiceManager::Reach({.socket = "/" + std::string(106, 'x')}).ok());
}

TEST(ServiceStatusTest, IsOneLineThatSystemdTakes) {
  ServiceState state = Serving();
  state.store = absl::UnavailableError("a\nREADY=0\x1b \xff" + std::string(9000, 'x'));
  const std::string line = StatusLine(state);
  EXPECT_THAT(line, HasSubstr("a READY=0  ?xxx"));
  EXPECT_LT(line.size(), 2000u);
  for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << int{c};
}

}  // namespace
}  // namespace wormhole::relay
