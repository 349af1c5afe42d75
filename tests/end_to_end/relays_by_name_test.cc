// Clients that know relays by one name with several addresses, as a headless Service of Kubernetes
// has: they spread, move on, and find the addresses that a rolling restart brings.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "tests/support/etcd_server.h"
#include "tests/support/name_server.h"
#include "tests/support/relay_process.h"
#include "tests/support/reserved_port.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using Clock = std::chrono::steady_clock;

// Of one store, and with one port, as those are that one name leads to.
class NamedRelay {
 public:
  NamedRelay(std::string host, std::string listen, std::string store)
      : host_(std::move(host)), listen_(std::move(listen)), store_(std::move(store)) {}

  void Start(const std::vector<std::string>& flags = {}) {
    std::vector<std::string> all = {"--listen=" + listen_, "--store=" + store_, "--motd=" + host_};
    all.insert(all.end(), flags.begin(), flags.end());
    process_ = std::make_unique<RelayProcess>(std::move(all));
    ASSERT_EQ(process_->AwaitListening(), listen_);
  }
  void Kill() { process_->Kill(); }
  void Drain() { ASSERT_EQ(process_->Stop(), 0); }
  const std::string& host() const { return host_; }

 private:
  const std::string host_;
  const std::string listen_;
  const std::string store_;
  std::unique_ptr<RelayProcess> process_;
};

class RelaysByNameTest : public ::testing::Test {
 protected:
  static constexpr int kRelays = 3;
  // From a relay's end to an exchange's being at another one, of which its client has not heard
  // yet: a second between two questions to the name server, and a busy machine.
  static constexpr std::chrono::seconds kFoundWithin{30};

  RelaysByNameTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // refused connections are part of the test
    for (int i = 0; i < 2 * kRelays; ++i) hosts_.push_back("127.0.0." + std::to_string(2 + i));
    ports_ = ReservedPort::AtEach(hosts_);
    for (int i = 0; i < 2 * kRelays; ++i) {
      relays_.push_back(std::make_unique<NamedRelay>(hosts_[i], ports_[i]->host_port(),
                                                     "etcd:" + etcd_.endpoints()));
    }
    SetNamed(0);
  }

  void StartOld(const std::vector<std::string>& flags = {}) {
    for (int i = 0; i < kRelays; ++i) relays_[i]->Start(flags);
  }
  void StartNew() {
    for (int i = 0; i < kRelays; ++i) relays_[kRelays + i]->Start();
  }

  // The name leads to so many relays from this one on.
  void SetNamed(int first, int count = kRelays) {
    names_.SetAddresses({hosts_.begin() + first, hosts_.begin() + first + count});
  }

  Options NewOptions() {
    const std::string& any = ports_.front()->host_port();
    Options options;
    options.app_id = "example.com/named";
    options.rendezvous = "dns://" + names_.address() + "/relays.test" + any.substr(any.rfind(':'));
    options.security = Security::kPlaintext;
    options.timeout = absl::Minutes(2);
    options.client = Client::Create().value();
    return options;
  }

  // An initiator whose code is out, and the relays that it has been at.
  struct Member {
    Initiator initiator;
    std::string code;
    std::shared_ptr<Collector<std::string>> reached;
    size_t moves = 0;

    std::string relay() const { return reached->Await(moves + 1)[moves]; }
    std::string NextRelay() {
      ++moves;
      return relay();
    }
  };
  Member Begin(std::shared_ptr<Client> client = Client::Create().value()) {
    Options options = NewOptions();
    options.client = std::move(client);
    auto reached = std::make_shared<Collector<std::string>>();
    options.on_progress = [reached](const ProgressEvent& event) {
      if (event.kind == ProgressEvent::Kind::kMotd) reached->Add(event.text);
    };
    Initiator initiator = Initiator::Create(options, "from the initiator").value();
    const auto code = initiator.GetCode();
    EXPECT_TRUE(code.ok()) << code.status();
    return {std::move(initiator), code.value_or(""), std::move(reached)};
  }

  void ExpectMeeting(Member& member) {
    Receiver receiver = Receiver::Create(NewOptions(), member.code, "from the receiver").value();
    EXPECT_EQ(receiver.GetData().value_or("failed"), "from the initiator");
    EXPECT_EQ(member.initiator.GetData().value_or("failed"), "from the receiver");
  }

  // Exchanges of a client that goes on using its connections come to be at this relay soon.
  void ExpectFound(const NamedRelay& relay, const std::shared_ptr<Client>& client) {
    const auto begin = Clock::now();
    for (bool found = false; !found && Clock::now() - begin < std::chrono::minutes(1);) {
      Member member = Begin(client);
      found = member.relay() == relay.host();
      member.initiator.Cancel();
    }
    ExpectSoonAfter(begin);
  }
  static void ExpectSoonAfter(Clock::time_point begin) {
    const std::chrono::duration<double> took = Clock::now() - begin;
    std::cout << "found after " << took.count() << " s" << std::endl;
    EXPECT_LT(took, kFoundWithin);
  }

  // Soon after `begin`, and it goes on there.
  void ExpectAtNew(Member& member, Clock::time_point begin) {
    while (!IsNew(member.NextRelay())) {
    }
    ExpectSoonAfter(begin);
    ExpectMeeting(member);
  }

  NamedRelay& At(const std::string& host) {
    for (const auto& relay : relays_) {
      if (relay->host() == host) return *relay;
    }
    ADD_FAILURE() << "no relay at " << host;
    return *relays_.front();
  }
  bool IsNew(const std::string& host) const {
    return std::find(hosts_.begin() + kRelays, hosts_.end(), host) != hosts_.end();
  }

  EtcdCluster etcd_;
  std::vector<std::string> hosts_;
  std::vector<std::unique_ptr<ReservedPort>> ports_;
  NameServer names_{{}};
  std::vector<std::unique_ptr<NamedRelay>> relays_;
};

// Each a process of its own, as it were, with one stream.
TEST_F(RelaysByNameTest, ClientsSpread) {
  StartOld();
  std::set<std::string> reached;
  for (int i = 0; i < 500 && reached.size() < kRelays; ++i) {
    Member member = Begin();
    reached.insert(member.relay());
    member.initiator.Cancel();
  }
  EXPECT_EQ(reached.size(), static_cast<size_t>(kRelays));
}

// Each of them takes the exchange over from the one before.
TEST_F(RelaysByNameTest, AResumeReachesAnyOfThem) {
  StartOld();
  Member member = Begin();
  std::set<std::string> reached = {member.relay()};
  for (int i = 0; i < 500 && reached.size() < kRelays; ++i) {
    NamedRelay& relay = At(member.relay());
    relay.Kill();
    EXPECT_NE(member.NextRelay(), relay.host());
    reached.insert(member.relay());
    relay.Start();
  }
  EXPECT_EQ(reached.size(), static_cast<size_t>(kRelays));
  ExpectMeeting(member);
}

// A relay that is restarted has another address, and the name knows.
TEST_F(RelaysByNameTest, ARollingRestartToNewAddresses) {
  StartOld();
  Member member = Begin();
  for (int i = 0; i < kRelays; ++i) {
    relays_[kRelays + i]->Start();
    SetNamed(i + 1);
    const bool moves = member.relay() == relays_[i]->host();
    const auto begin = Clock::now();
    relays_[i]->Drain();
    if (moves) {
      EXPECT_NE(member.NextRelay(), relays_[i]->host());
    }
    ExpectSoonAfter(begin);
  }
  EXPECT_TRUE(IsNew(member.relay())) << member.relay();
  ExpectMeeting(member);
}

// The channel lives on with the other exchanges: it has to ask anew for what the name leads to.
TEST_F(RelaysByNameTest, AnAddressInPlaceOfAnotherIsFound) {
  StartOld();
  const std::shared_ptr<Client> client = Client::Create().value();
  std::vector<Member> members;
  std::set<std::string> reached;
  while (reached.size() < kRelays) {
    members.push_back(Begin(client));
    reached.insert(members.back().relay());
  }
  for (int i = 0; i < kRelays - 1; ++i) {
    relays_[kRelays + i]->Start();
    SetNamed(i + 1);
    relays_[i]->Drain();
    ExpectFound(*relays_[kRelays + i], client);
  }
  for (Member& member : members) ExpectMeeting(member);
}

// Nobody goes: it is the age of connections that makes clients ask.
TEST_F(RelaysByNameTest, AnAddressThatIsAddedIsFound) {
  StartOld({"--max-stream-age=2s"});
  const std::shared_ptr<Client> client = Client::Create().value();
  Member member = Begin(client);
  relays_[kRelays]->Start();
  SetNamed(0, kRelays + 1);
  ExpectFound(*relays_[kRelays], client);
  ExpectMeeting(member);
}

// None of the addresses that the client knows is left.
TEST_F(RelaysByNameTest, AllAddressesChangeAtOnce) {
  StartOld();
  Member member = Begin();
  StartNew();
  SetNamed(kRelays);
  const auto begin = Clock::now();
  for (int i = 0; i < kRelays; ++i) relays_[i]->Kill();
  ExpectAtNew(member, begin);
}

TEST_F(RelaysByNameTest, ANameLeadsNowhereForAWhile) {
  StartOld();
  Member member = Begin();
  SetNamed(0, 0);
  for (int i = 0; i < kRelays; ++i) relays_[i]->Kill();
  names_.AwaitQuestions(4);
  StartNew();
  const auto begin = Clock::now();
  SetNamed(kRelays);
  ExpectAtNew(member, begin);
}

}  // namespace
}  // namespace wormhole::testing
