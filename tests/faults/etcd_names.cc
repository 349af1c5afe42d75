// A relay that knows etcd's nodes by names, as in Kubernetes: of three names
// one leads nowhere, a name leads nowhere yet, and a node comes back under its
// name at another address, while packets to the old one are dropped.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/faults/network.h"
#include "tests/faults/own_names.h"
#include "tests/support/etcd_server.h"
#include "tests/support/name_server.h"
#include "tests/support/relay_process.h"
#include "wormhole/wormhole.h"

namespace wormhole::faults {
namespace {

using testing::EtcdCluster;
using testing::NameServer;
using testing::RelayProcess;
using Clock = std::chrono::steady_clock;

// Of documentation (RFC 5737): nobody has them. The first two are etcd's, one
// after the other.
constexpr char kFirst[] = "198.51.100.1";
constexpr char kSecond[] = "198.51.100.2";
constexpr char kClients[] = "192.0.2.1";
constexpr char kRelay[] = "192.0.2.10";
constexpr char kRelayAddress[] = "192.0.2.10:47180";

constexpr char kIsAway[] = "clients are sent away until the store works again";

// A busy machine needs more than the second or two of a quiet one; gRPC's own
// pauses are longer.
constexpr std::chrono::seconds kFoundWithin(10);

// After so many, gRPC by itself would let a quarter of a minute pass before the
// next.
constexpr int kManyQuestions = 8;

// NAME:PORT, with the node's port.
std::string Named(const std::string& name, const std::string& address) {
  return name + address.substr(address.rfind(':'));
}

class EtcdNamesTest : public ::testing::Test {
 protected:
  // First, while the process has one thread.
  void SetUp() override {
    const std::string why_not = EnterOwnNetwork();
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    names_ = std::make_unique<OwnNames>(kClients);
    if (!names_->why_not().empty()) GTEST_SKIP() << names_->why_not();
    host_ = std::make_unique<Host>(
        std::vector<Host::Link>{{.name = "clients", .here = kClients, .there = kRelay},
                                {.name = "first", .here = kFirst, .there = "198.51.100.11"},
                                {.name = "second", .here = kSecond, .there = "198.51.100.12"}});
    constexpr uint16_t kPort = 53;
    name_server_ = std::make_unique<NameServer>(std::vector<std::string>(), kClients, kPort);
  }

  // Here, or on the host that the links lead to.
  static std::unique_ptr<RelayProcess> Start(const std::string& endpoints,
                                             std::string listen = "127.0.0.1:0",
                                             std::vector<std::string> runner = {}) {
    return std::make_unique<RelayProcess>(RelayProcess::Options{
        .flags = {"--listen=" + std::move(listen), "--store=etcd:" + endpoints},
        .runner = std::move(runner)});
  }

  static void ExpectExchangeAt(const std::string& relay) {
    Options options;
    options.client = Client::Create().value();
    options.app_id = "example.com/names";
    options.rendezvous = relay;
    options.security = Security::kPlaintext;
    options.timeout = absl::Minutes(1);
    Initiator initiator = Initiator::Create(options, "from the initiator").value();
    const auto code = initiator.GetCode();
    ASSERT_TRUE(code.ok()) << code.status();
    Receiver receiver = Receiver::Create(options, *code, "from the receiver").value();
    EXPECT_EQ(receiver.GetData().value_or("failed"), "from the initiator");
    EXPECT_EQ(initiator.GetData().value_or("failed"), "from the receiver");
  }

  static void ExpectSoonAfter(Clock::time_point begin, const char* what) {
    const std::chrono::duration<double> took = Clock::now() - begin;
    std::cout << what << " after " << took.count() << " s" << std::endl;
    EXPECT_LT(took, kFoundWithin) << what;
  }

  std::unique_ptr<OwnNames> names_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<NameServer> name_server_;  // which knows no address
};

TEST_F(EtcdNamesTest, ANodeComesBackAtAnotherAddress) {
  EtcdCluster etcd({.address = kFirst, .next_address = kSecond});
  names_->Set({{"etcd-0.test", kFirst}});
  const auto relay = Start(Named("etcd-0.test", etcd.endpoint(0)), kRelayAddress, host_->runner());
  ASSERT_EQ(relay->AwaitListening(), kRelayAddress) << relay->error();
  ExpectExchangeAt(kRelayAddress);
  etcd.Kill(0);
  host_->Disconnect("first", Host::Cut::kLinkDown);
  ASSERT_TRUE(relay->AwaitError(kIsAway));
  etcd.Move(0);
  etcd.Restart(0);
  const auto begin = Clock::now();
  names_->Set({{"etcd-0.test", kSecond}});
  ExpectExchangeAt(kRelayAddress);
  ExpectSoonAfter(begin, "etcd at another address was found");
}

// The nodes that have names go down in turns, so that each name is tried.
TEST_F(EtcdNamesTest, OneNameOfThreeLeadsNowhere) {
  EtcdCluster etcd({.nodes = 3, .address = kFirst});
  names_->Set({{"etcd-1.test", kFirst}, {"etcd-2.test", kFirst}});
  std::string endpoints = Named("etcd-0.test", etcd.endpoint(0));
  for (int node = 1; node < 3; ++node) {
    absl::StrAppend(&endpoints, ",",
                    Named(absl::StrCat("etcd-", node, ".test"), etcd.endpoint(node)));
  }
  auto begin = Clock::now();
  const auto relay = Start(endpoints);
  const std::string address = relay->AwaitListening();
  ASSERT_NE(address, "") << relay->error();
  ExpectSoonAfter(begin, "serves");
  name_server_->AwaitQuestions(1);  // gRPC goes on asking where that name leads
  for (int node = 1; node < 3; ++node) {
    etcd.Kill(node);
    begin = Clock::now();
    ExpectExchangeAt(address);
    ExpectSoonAfter(begin, "an exchange without another node");
    etcd.Restart(node);
  }
  EXPECT_EQ(relay->Stop(), 0);
}

// gRPC by itself would ask for it less and less often, up to once in two
// minutes.
TEST_F(EtcdNamesTest, ANameLeadsNowhereYet) {
  EtcdCluster etcd({.address = kFirst});
  const auto relay = Start(Named("etcd-0.test", etcd.endpoint(0)));
  ASSERT_TRUE(relay->AwaitError(kIsAway));
  ASSERT_TRUE(relay->AwaitError("etcd-0.test")) << "the log does not say why";
  name_server_->AwaitQuestions(kManyQuestions);
  const auto begin = Clock::now();
  names_->Set({{"etcd-0.test", kFirst}});
  const std::string address = relay->AwaitListening();
  ASSERT_NE(address, "") << relay->error();
  ExpectSoonAfter(begin, "serves");
  ExpectExchangeAt(address);
}

}  // namespace
}  // namespace wormhole::faults
