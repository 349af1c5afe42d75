// Fault 2 on a network: three relays on etcd, each on a host of its own. An address vanishes with
// everything behind it; one relay loses etcd alone, one its clients alone. Packets are dropped:
// nobody is told by a connection that ends.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/faults/network.h"
#include "tests/faults/scene.h"
#include "tests/support/etcd_server.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::faults {
namespace {

using testing::EtcdCluster;
using Clock = std::chrono::steady_clock;

constexpr int kRelays = 3;
constexpr int kShort = 30;

// Of documentation (RFC 5737): nobody has them.
constexpr char kClients[] = "192.0.2.1";
constexpr char kEtcd[] = "198.51.100.1";
constexpr uint16_t kPort = 47180;  // on a host where nothing else listens

// A lost stream is noticed after two and a half of these.
constexpr char kHeartbeat[] = "--heartbeat=1s";
// The next stream may go to the dead connection again. TCP gives that up after ten seconds with
// something unanswered.
constexpr std::chrono::seconds kMovesWithin(30);

std::string RelayHost(int relay) { return absl::StrCat("192.0.2.", 10 + relay); }
std::string RelayAddress(int relay) { return absl::StrCat(RelayHost(relay), ":", kPort); }
std::string AllRelays() {
  return absl::StrCat("ipv4:", RelayAddress(0), ",", RelayAddress(1), ",", RelayAddress(2));
}

// Whether nothing comes back from there, neither a connection nor a refusal.
bool IsSilent(int relay) {
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(kPort);
  inet_pton(AF_INET, RelayHost(relay).c_str(), &to.sin_addr);
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool asked =
      connect(probe, reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0 && errno == EINPROGRESS;
  pollfd answer = {probe, POLLOUT, 0};
  constexpr int kMilliseconds = 200;
  const bool silent = asked && poll(&answer, 1, kMilliseconds) == 0;
  close(probe);
  return silent;
}

class RelaysVanishTest : public ::testing::Test {
 protected:
  // First, while the process has one thread.
  void SetUp() override {
    const std::string why_not = EnterOwnNetwork();
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    for (int i = 0; i < kRelays; ++i) {
      hosts_.push_back(std::make_unique<Host>(std::vector<Host::Link>{
          {.name = ToClients(i), .here = kClients, .there = RelayHost(i)},
          {.name = ToEtcd(i), .here = kEtcd, .there = absl::StrCat("198.51.100.", 10 + i)}}));
    }
    etcd_ = std::make_unique<EtcdCluster>(EtcdCluster::Options{.address = kEtcd});
    ScenePlan plan = {.short_exchanges = kShort};
    for (int i = 0; i < kRelays; ++i) {
      plan.relays.push_back({.store = "etcd:" + etcd_->endpoints(),
                             .flags = {kHeartbeat, absl::StrCat("--motd=", i)},
                             .address = RelayAddress(i),
                             .runner = hosts_[i]->runner()});
    }
    scene_ = std::make_unique<Scene>(std::move(plan));
  }

  static std::string ToClients(int relay) { return absl::StrCat("clients", relay); }
  static std::string ToEtcd(int relay) { return absl::StrCat("etcd", relay); }

  // For some seconds, from one relay after the other, while the load goes on.
  void CutInTurns(const std::vector<std::string (*)(int)>& links, const std::string& what) {
    std::uniform_int_distribution<int> some_time(2'500, 5'000);
    int times = 0;
    scene_->RunDuring([&] {
      const int relay = times++ % kRelays;
      const Host::Cut how =
          scene_->random()() % 2 == 0 ? Host::Cut::kLinkDown : Host::Cut::kAddressGone;
      scene_->AwaitSomeEvents();
      for (const auto& link : links) hosts_[relay]->Disconnect(link(relay), how);
      EXPECT_EQ(IsSilent(relay), links.front() == ToClients);
      std::this_thread::sleep_for(std::chrono::milliseconds(some_time(scene_->random())));
      for (const auto& link : links) hosts_[relay]->Reconnect(link(relay));
    });
    scene_->ExpectAllFinished(absl::StrCat(what, " ", times, " times"));
  }

  std::vector<std::unique_ptr<Host>> hosts_;
  std::unique_ptr<EtcdCluster> etcd_;
  std::unique_ptr<Scene> scene_;
};

// With connections of its own.
Options PatientOptions() {
  Options options;
  options.client = Client::Create().value();
  options.app_id = "example.com/faults";
  options.rendezvous = AllRelays();
  options.security = Security::kPlaintext;
  options.timeout = absl::Minutes(2);
  return options;
}

// It does not come back either: whoever was there has to find that out.
TEST_F(RelaysVanishTest, ExchangesLeaveAnAddressThatIsGone) {
  auto relays = std::make_shared<testing::Collector<int>>();
  Options options = PatientOptions();
  options.on_progress = [relays](const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::kMotd) relays->Add(atoi(event.text.c_str()));
  };
  Initiator initiator = Initiator::Create(options, "from the initiator").value();
  const std::string code = initiator.GetCode().value();
  const int relay = relays->Await(1)[0];
  for (const std::string& link : {ToClients(relay), ToEtcd(relay)}) {
    hosts_[relay]->Disconnect(link, Host::Cut::kLinkDown);
  }
  ASSERT_TRUE(IsSilent(relay));
  const Clock::time_point gone = Clock::now();
  Receiver receiver = Receiver::Create(PatientOptions(), code, "from the receiver").value();
  EXPECT_EQ(initiator.GetData().value_or("failed"), "from the receiver");
  EXPECT_EQ(receiver.GetData().value_or("failed"), "from the initiator");
  const std::chrono::duration<double> took = Clock::now() - gone;
  std::cout << "moved on and finished after " << took.count() << " s" << std::endl;
  EXPECT_LT(took, kMovesWithin);
}

TEST_F(RelaysVanishTest, OneVanishes) { CutInTurns({ToClients, ToEtcd}, "an address vanished"); }

TEST_F(RelaysVanishTest, OneLosesEtcd) { CutInTurns({ToEtcd}, "a relay lost etcd"); }

TEST_F(RelaysVanishTest, OneLosesItsClients) {
  CutInTurns({ToClients}, "a relay lost its clients");
}

}  // namespace
}  // namespace wormhole::faults
