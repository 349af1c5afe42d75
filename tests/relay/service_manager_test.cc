// What a service manager hears of a relay's life, from the program itself.
#include "relay/server/service_manager.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/clock/clock.h"
#include "relay/server/server.h"
#include "relay/store/memory/memory_store.h"
#include "tests/support/attach_client.h"
#include "tests/support/etcd_server.h"
#include "tests/support/notify_socket.h"
#include "tests/support/relay_process.h"
#include "tests/support/reserved_port.h"
#include "tests/support/temp_folder.h"

namespace wormhole::service_test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::NotifySocket;
using testing::RelayProcess;
using ::testing::StartsWith;
using testing::TempFolder;

class ServiceManagerTest : public ::testing::Test {
 protected:
  const TempFolder folder_{"/tmp"};  // a socket's path is short
  NotifySocket path_{folder_.File("notify")};
  NotifySocket abstract_{absl::StrCat("@wormhole-relay-service-test-", getpid())};
};

TEST_F(ServiceManagerTest, HearsTheWholeLife) {
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory"},
                     {{"NOTIFY_SOCKET", path_.name()}, {"WATCHDOG_USEC", "4000000"}});
  EXPECT_EQ(path_.Await("READY=1"), "READY=1") << relay.error();
  const std::string address = relay.AwaitListening();
  EXPECT_EQ(path_.taken().back(), "READY=1\nSTATUS=Serving on " + address + "\n");
  for (int meal = 0; meal < 3; ++meal) EXPECT_NE(path_.Await("WATCHDOG=1"), "");

  AttachClient client(Connect(address));
  client.Send(OpenAllocate('a'));
  EXPECT_TRUE(client.Receive()->has_opened());
  EXPECT_EQ(relay.Stop(), 0) << relay.error();
  EXPECT_NE(path_.Await("STOPPING=1"), "");
  EXPECT_THAT(path_.taken().back(), HasSubstr("EXTEND_TIMEOUT_USEC="));
  EXPECT_THAT(path_.taken().back(), HasSubstr("STATUS=Draining: 1 stream is left"));
  EXPECT_THAT(path_.taken().front(), StartsWith("STATUS=Starting"));
}

TEST_F(ServiceManagerTest, AnAbstractSocketAndAWatchdogOfAnotherProcess) {
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory"},
                     {{"NOTIFY_SOCKET", abstract_.name()},
                      {"WATCHDOG_USEC", "4000000"},
                      {"WATCHDOG_PID", absl::StrCat(getpid())}});
  EXPECT_EQ(abstract_.Await("READY=1"), "READY=1") << relay.error();
  EXPECT_EQ(relay.Stop(), 0) << relay.error();
  EXPECT_NE(abstract_.Await("STOPPING=1"), "");
  EXPECT_THAT(abstract_.taken(), Not(Contains(HasSubstr("WATCHDOG"))));
}

TEST_F(ServiceManagerTest, ARelayThatWaitsForItsStoreIsReadyAndSaysSo) {
  const testing::ReservedPort nobody;
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=etcd:" + nobody.host_port()},
                     {{"NOTIFY_SOCKET", path_.name()}, {"WATCHDOG_USEC", "4000000"}});
  EXPECT_EQ(path_.Await("READY=1"), "READY=1") << relay.error();
  EXPECT_THAT(path_.taken().back(), HasSubstr("STATUS=Listening on 127.0.0.1:"));
  EXPECT_THAT(path_.taken().back(), HasSubstr("; store away since "));
  EXPECT_THAT(path_.taken().back(), HasSubstr(nobody.host_port()));
  EXPECT_NE(path_.Await("WATCHDOG=1"), "");
  EXPECT_EQ(relay.Stop(), 0) << relay.error();
  EXPECT_NE(path_.Await("STOPPING=1"), "");
}

// A machine's clock that stands still for whoever reads it, while the gate is shut: as a disk, or a
// lock, that hangs.
class HangingClock {
 public:
  relay::RelayClock& clock() { return clock_; }

  // Returns once a thread stands at the gate.
  void Shut() {
    shut_ = true;
    caught_.wait(false);
  }
  void Open() {
    shut_ = false;
    shut_.notify_all();
  }

 private:
  relay::MachineTime Read() {
    if (shut_) {
      caught_ = true;
      caught_.notify_all();
      shut_.wait(true);
    }
    return relay::MachineNow();
  }

  std::atomic<bool> shut_ = false;
  std::atomic<bool> caught_ = false;
  relay::RelayClock clock_{[this] { return Read(); }};
};

// The watchdog is due all the time here, so that whoever else fed it would be seen.
TEST_F(ServiceManagerTest, ARelayWhoseTickHangsIsNotFed) {
  const auto manager = *relay::ServiceManager::Reach(
      {.socket = path_.name(), .watchdog = std::chrono::microseconds(1)});
  relay::RelayConfig config;
  config.listen = "127.0.0.1:0";
  config.admin_listen = "";
  HangingClock clock;
  relay::Monitor monitor(config);
  relay::MemoryStore store;
  const auto server = *relay::RelayServer::Start(
      config, [&store] { return &store; }, &clock.clock(), &monitor, manager.get());
  server->Serve();
  EXPECT_NE(path_.Await("WATCHDOG=1"), "");
  clock.Shut();
  while (!path_.Take().empty()) {
  }
  server->Withdraw();
  EXPECT_THAT(path_.Take(), StartsWith("STOPPING=1\n"));
  EXPECT_EQ(path_.Take(), "");
  clock.Open();
  EXPECT_NE(path_.Await("WATCHDOG=1"), "");
}

// A unit that its store refuses for good has not started: whoever starts it should hear of that.
TEST_F(ServiceManagerTest, ARelayThatItsStoreRefusesIsNeverReady) {
  testing::EtcdCluster etcd({.root_password = "secret"});
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=etcd:" + etcd.endpoints()},
                     {{"NOTIFY_SOCKET", path_.name()}});
  EXPECT_EQ(relay.AwaitExit(), 1);
  while (!path_.Take().empty()) {
  }
  EXPECT_THAT(path_.taken(), Contains(StartsWith("STATUS=Starting")));
  EXPECT_THAT(path_.taken(), Not(Contains(HasSubstr("READY"))));
}

// Full, gone, and no socket at all: the relay serves, and stops when it is told to.
TEST_F(ServiceManagerTest, ThatDoesNotListenChangesNothing) {
  path_.Fill();
  struct Case {
    std::string socket;
    std::string warning;
  };
  for (const Case& c :
       {Case{path_.name(), ""}, Case{folder_.File("none"), ""},
        Case{"notify", "the service manager hears nothing: $NOTIFY_SOCKET (notify) should be"}}) {
    RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory"},
                       {{"NOTIFY_SOCKET", c.socket}, {"WATCHDOG_USEC", "4000000"}});
    AttachClient client(Connect(relay.AwaitListening()));
    client.Send(OpenAllocate('a'));
    EXPECT_TRUE(client.Receive()->has_opened()) << c.socket;
    EXPECT_EQ(relay.Stop(), 0) << c.socket << relay.error();
    EXPECT_THAT(relay.error(), HasSubstr(c.warning));
    EXPECT_EQ(relay.error().find("the service manager") == std::string::npos, c.warning.empty());
  }
}

// Until its store is open, the relay is not ready, and then it says where it serves.
TEST_F(ServiceManagerTest, AStartThatFailsIsNeverReady) {
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=sqlite:" + folder_.File("none/relay.db")},
                     {{"NOTIFY_SOCKET", path_.name()}});
  EXPECT_EQ(relay.AwaitExit(), 1);
  while (!path_.Take().empty()) {
  }
  EXPECT_THAT(path_.taken(), Contains(StartsWith("STATUS=Starting")));
  EXPECT_THAT(path_.taken(), Not(Contains(HasSubstr("READY"))));
}

}  // namespace
}  // namespace wormhole::service_test
