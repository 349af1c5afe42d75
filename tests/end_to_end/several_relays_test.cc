// Clients that know several relays, and what they see when one of these goes, comes or is silent.
// The relays have a memory store each: what needs a common one is in //tests/relay and
// //tests/faults.
#include <signal.h>
#include <sys/socket.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/client_access.h"
#include "gmock/gmock.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/end_to_end/noting_transport.h"
#include "tests/support/relay_process.h"
#include "tests/support/reserved_port.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using error::ErrorDetail;
using ::testing::Each;

// A relay that may be down, at an address that stays its own.
class Relay {
 public:
  void Start(std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"--listen=" + address(), "--store=memory", "--motd=" + address()});
    process_ = std::make_unique<RelayProcess>(std::move(flags));
    ASSERT_EQ(process_->AwaitListening(), address());
  }
  void Kill() { process_->Kill(); }
  void Drain() { process_->Signal(SIGTERM); }
  int AwaitExit() { return process_->AwaitExit(); }
  const std::string& address() const { return port_.host_port(); }

 private:
  const ReservedPort port_;
  std::unique_ptr<RelayProcess> process_;
};

class SeveralRelaysTest : public ::testing::Test {
 protected:
  SeveralRelaysTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // refused connections are part of the test
    client_ = ClientAccess::WithTransport(std::make_shared<NotingTransport>(ends_)).value();
  }

  Options NewOptions(const std::string& relays) {
    Options options;
    options.app_id = "example.com/several";
    options.rendezvous = relays;
    options.timeout = absl::Minutes(2);
    options.client = client_;
    return options;
  }

  // Notes which relays an exchange with these options has reached.
  static std::shared_ptr<Collector<std::string>> NoteRelays(Options& options) {
    auto reached = std::make_shared<Collector<std::string>>();
    options.on_progress = [reached](const ProgressEvent& event) {
      if (event.kind == ProgressEvent::Kind::kMotd) reached->Add(event.text);
    };
    return reached;
  }

  // A receiver that came first and waits: the one state that a relay without the others' store can
  // take over. It is at a relay when this returns.
  struct Waiter {
    Receiver receiver;
    std::string relay;
  };
  Waiter Wait(const std::string& relays) {
    Options options = NewOptions(relays);
    options.wait = true;
    const auto reached = NoteRelays(options);
    auto receiver = Receiver::Create(options, kCode, "from the receiver").value();
    return {std::move(receiver), reached->Await(1)[0]};
  }

  // Where an initiator with a drawn code gets to that nobody waits for.
  std::string RelayOfAnother(const std::string& relays, std::shared_ptr<Client> client) {
    Options options = NewOptions(relays);
    options.client = std::move(client);
    const auto reached = NoteRelays(options);
    auto initiator = Initiator::Create(options, "a").value();
    const std::string relay = reached->Await(1)[0];
    initiator.Cancel();
    return relay;
  }

  Relay& At(const std::string& address) { return address == one_.address() ? one_ : two_; }
  Relay& OtherThan(const std::string& address) { return address == one_.address() ? two_ : one_; }

  // Its initiator comes to one relay, and both have their data.
  void ExpectMeeting(Waiter& waiter, const std::string& relays) {
    Options options = NewOptions(relays);
    options.code = kCode;
    auto initiator = Initiator::Create(options, "from the initiator").value();
    EXPECT_EQ(initiator.GetData().value_or("failed"), "from the receiver");
    EXPECT_EQ(waiter.receiver.GetData().value_or("failed"), "from the initiator");
  }

  // All streams that ended before the exchanges did.
  std::vector<ErrorDetail::Reason> Reasons() const {
    std::vector<ErrorDetail::Reason> reasons;
    for (const absl::Status& end : ends_->all()) {
      if (!end.ok()) reasons.push_back(error::ReasonOf(end));
    }
    return reasons;
  }

  static constexpr char kCode[] = "7-abandon-ability";
  Relay one_;
  Relay two_;
  const std::string both_ = "ipv4:" + one_.address() + "," + two_.address();
  const std::shared_ptr<StreamEnds> ends_ = std::make_shared<StreamEnds>();
  std::shared_ptr<Client> client_;
};

TEST_F(SeveralRelaysTest, AnAddressThatRefusesIsPassedOver) {
  two_.Start();
  Waiter waiter = Wait(both_);
  ExpectMeeting(waiter, both_);
  EXPECT_TRUE(Reasons().empty());  // the first stream already went to the other
}

TEST_F(SeveralRelaysTest, AnAddressThatIsSilentIsPassedOver) {
  const ReservedPort silent;
  // The kernel takes connections, and nobody ever speaks: as on a host that hangs.
  ASSERT_EQ(listen(silent.fd(), 16), 0);
  two_.Start();
  const std::string relays = "ipv4:" + silent.host_port() + "," + two_.address();
  const auto begin = std::chrono::steady_clock::now();
  Waiter waiter = Wait(relays);
  ExpectMeeting(waiter, relays);
  EXPECT_TRUE(Reasons().empty());
  // Giving the silent one up takes a client five seconds; these do not wait for it. With the
  // sanitizer an exchange may take as long by itself.
#ifdef __SANITIZE_ADDRESS__
  constexpr std::chrono::seconds kWithin(30);
#else
  constexpr std::chrono::seconds kWithin(5);
#endif
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kWithin);
}

TEST_F(SeveralRelaysTest, AWaiterOfAKilledRelayGoesToTheOther) {
  one_.Start();
  two_.Start();
  Waiter waiter = Wait(both_);
  At(waiter.relay).Kill();
  ExpectMeeting(waiter, OtherThan(waiter.relay).address());
  EXPECT_THAT(Reasons(), Each(ErrorDetail::REASON_UNSPECIFIED));
}

TEST_F(SeveralRelaysTest, AWaiterOfADrainingRelayGoesToTheOther) {
  one_.Start();
  two_.Start();
  Waiter waiter = Wait(both_);
  At(waiter.relay).Drain();
  EXPECT_EQ(At(waiter.relay).AwaitExit(), 0);
  ExpectMeeting(waiter, OtherThan(waiter.relay).address());
  EXPECT_EQ(Reasons(), std::vector{ErrorDetail::REASON_DRAINING});
}

TEST_F(SeveralRelaysTest, ARelayThatComesBackAtItsAddressIsFound) {
  one_.Start();
  Waiter waiter = Wait(one_.address());
  one_.Kill();
  ends_->Await(3);  // the one that was cut, and tries that were refused
  one_.Start();
  ExpectMeeting(waiter, one_.address());
}

TEST_F(SeveralRelaysTest, AnotherStoreDoesNotKnowTheChannel) {
  one_.Start();
  auto initiator = Initiator::Create(NewOptions(both_), "a").value();
  ASSERT_TRUE(initiator.GetCode().ok());
  two_.Start();
  one_.Kill();
  EXPECT_EQ(ReasonOf(initiator.GetData().status()), Reason::kNoSuchCode);
}

// The connections of a client that goes on using the other.
TEST_F(SeveralRelaysTest, ARelayThatComesBackIsUsedAgain) {
  one_.Start();
  two_.Start();
  Waiter waiter = Wait(both_);
  Relay& back = OtherThan(waiter.relay);
  while (RelayOfAnother(both_, client_) != back.address()) {
  }
  back.Kill();
  EXPECT_EQ(RelayOfAnother(both_, client_), waiter.relay);
  back.Start();
  while (RelayOfAnother(both_, client_) != back.address()) {
  }
}

// Also when each client is a process of its own, with one stream.
TEST_F(SeveralRelaysTest, ClientsSpread) {
  one_.Start();
  two_.Start();
  std::set<std::string> reached;
  for (int i = 0; i < 500 && reached.size() < 2; ++i) {
    reached.insert(RelayOfAnother(both_, Client::Create().value()));
  }
  EXPECT_EQ(reached.size(), 2u);
}

TEST_F(SeveralRelaysTest, AListHasTheNameOfItsFirstAddress) {
  const std::string folder = "tests/support/tls/";
  two_.Start({"--tls-cert=" + folder + "loopback.pem", "--tls-key=" + folder + "loopback.key"});
  std::ifstream file(folder + "loopback.pem");
  Options options = NewOptions(both_);
  options.tls.root_certificates.assign(std::istreambuf_iterator<char>(file), {});
  auto initiator = Initiator::Create(options, "a").value();
  EXPECT_TRUE(initiator.GetCode().ok()) << initiator.GetCode().status();
  // The certificate is for 127.0.0.1 alone.
  options.rendezvous = "ipv4:127.0.0.2:1," + two_.address();
  options.timeout = absl::Milliseconds(500);
  auto misled = Initiator::Create(options, "a").value();
  EXPECT_EQ(ReasonOf(misled.GetCode().status()), Reason::kUnreachable);
}

TEST_F(SeveralRelaysTest, AnExchangeOutlivesItsStreams) {
  one_.Start({"--max-stream-age=1s"});
  Waiter waiter = Wait(one_.address());
  ends_->Await(3);
  ExpectMeeting(waiter, one_.address());
  EXPECT_THAT(Reasons(), Each(ErrorDetail::REASON_DRAINING));
}

}  // namespace
}  // namespace wormhole::testing
