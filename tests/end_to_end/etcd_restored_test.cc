// What clients see when the etcd behind their relays is restored from an older copy: exchanges that
// the copy has go on, all others end with a reason, and new ones work.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "tests/support/etcd_server.h"
#include "tests/support/relay_process.h"
#include "tests/support/reserved_port.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using ::testing::AnyOf;

enum class Relays { kGoOn, kAreRestarted };

class EtcdRestoredTest : public ::testing::TestWithParam<Relays> {
 protected:
  static constexpr int kRelays = 2;

  EtcdRestoredTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // refused connections are part of the test
    for (int i = 0; i < kRelays; ++i) Start(i);
  }
  ~EtcdRestoredTest() override {
    for (const auto& relay : relays_) {
      EXPECT_EQ(relay->Stop(), 0) << relay->error();
    }
  }

  void Start(int i) {
    relays_[i] = std::make_unique<RelayProcess>(
        std::vector<std::string>{"--listen=" + ports_[i].host_port(),
                                 "--store=etcd:" + etcd_.endpoints(), "--heartbeat=1s"});
    ASSERT_NE(relays_[i]->AwaitListening(), "") << relays_[i]->error();
  }

  void Restore(const std::string& copy) {
    const bool restarted = GetParam() == Relays::kAreRestarted;
    if (restarted) {
      for (const auto& relay : relays_) relay->Kill();
    }
    etcd_.Restore(copy);
    for (int i = 0; i < kRelays; ++i) {
      if (restarted) {
        Start(i);
      } else {
        EXPECT_TRUE(relays_[i]->AwaitError("etcd was restored"));
      }
    }
  }

  Options At(const std::string& relays) const {
    Options options;
    options.app_id = "example.com/restored";
    options.rendezvous = relays;
    options.timeout = absl::Minutes(5);
    return options;
  }
  Options AtBoth() const {
    return At("ipv4:" + ports_[0].host_port() + "," + ports_[1].host_port());
  }

  struct Begun {
    Initiator initiator;
    std::string code;
  };
  Begun Begin(const Options& options) {
    Initiator initiator = Initiator::Create(options, "from the initiator").value();
    const auto code = initiator.GetCode();
    EXPECT_TRUE(code.ok()) << code.status();
    return {std::move(initiator), code.value_or("")};
  }
  Receiver Join(const std::string& code, const Options& options) {
    return Receiver::Create(options, code, "from the receiver").value();
  }
  static void ExpectData(Initiator& initiator, Receiver& receiver) {
    EXPECT_EQ(receiver.GetData().value_or("failed"), "from the initiator");
    EXPECT_EQ(initiator.GetData().value_or("failed"), "from the receiver");
  }
  // With its data, or with a reason that is the loss.
  static void ExpectEnd(Party& party) {
    const auto data = party.GetData();
    if (data.ok()) return;
    EXPECT_THAT(ReasonOf(data.status()), AnyOf(Reason::kStaleState, Reason::kAborted,
                                               Reason::kPeerGaveUp, Reason::kUnproven))
        << data.status();
  }

  EtcdCluster etcd_;
  const ReservedPort ports_[kRelays];
  std::unique_ptr<RelayProcess> relays_[kRelays];
};

TEST_P(EtcdRestoredTest, AnExchangeOfTheCopyGoesOn) {
  Begun begun = Begin(AtBoth());
  const std::string copy = etcd_.Save();
  for (int i = 0; i < 5; ++i) {
    Begun later = Begin(AtBoth());
    Receiver receiver = Join(later.code, AtBoth());
    ExpectData(later.initiator, receiver);
  }
  Restore(copy);
  Receiver receiver = Join(begun.code, AtBoth());
  ExpectData(begun.initiator, receiver);
}

TEST_P(EtcdRestoredTest, OneThatIsNewerThanTheCopyIsUnknown) {
  const std::string copy = etcd_.Save();
  Begun one = Begin(AtBoth());
  Begun other = Begin(AtBoth());
  Restore(copy);
  EXPECT_EQ(ReasonOf(one.initiator.GetData().status()), Reason::kNoSuchCode);
  EXPECT_EQ(ReasonOf(Join(other.code, AtBoth()).GetData().status()), Reason::kNoSuchCode);
  EXPECT_EQ(ReasonOf(other.initiator.GetData().status()), Reason::kNoSuchCode);
}

// What the author has dropped since it was accepted, the store lacks.
TEST_P(EtcdRestoredTest, OneThatIsFurtherThanTheCopyEndsWithAReason) {
  Options careful = AtBoth();
  careful.confirm_verifier = true;
  Begun begun = Begin(careful);
  Receiver receiver = Join(begun.code, careful);
  ASSERT_TRUE(begun.initiator.GetVerifier().ok());
  ASSERT_TRUE(receiver.GetVerifier().ok());
  const std::string copy = etcd_.Save();
  begun.initiator.AcceptVerifier(true);
  // Another exchange later, that one's data is with the receiver, which holds it back.
  Begun later = Begin(AtBoth());
  Receiver last = Join(later.code, AtBoth());
  ExpectData(later.initiator, last);
  Restore(copy);
  receiver.AcceptVerifier(true);
  ExpectEnd(begun.initiator);
  ExpectEnd(receiver);
}

// At each relay, and from one to the other, and under the ids that the copy does not know.
TEST_P(EtcdRestoredTest, NewOnesWork) {
  const std::string copy = etcd_.Save();
  std::vector<Begun> lost;
  for (int i = 0; i < 5; ++i) lost.push_back(Begin(AtBoth()));
  Restore(copy);
  for (const ReservedPort& here : ports_) {
    for (const ReservedPort& there : ports_) {
      Begun begun = Begin(At(here.host_port()));
      Receiver receiver = Join(begun.code, At(there.host_port()));
      ExpectData(begun.initiator, receiver);
    }
  }
}

TEST_P(EtcdRestoredTest, NothingIsLeft) {
  Begun begun = Begin(AtBoth());
  Restore("");
  EXPECT_EQ(ReasonOf(begun.initiator.GetData().status()), Reason::kNoSuchCode);
  Begun again = Begin(AtBoth());
  Receiver receiver = Join(again.code, AtBoth());
  ExpectData(again.initiator, receiver);
}

INSTANTIATE_TEST_SUITE_P(Relays, EtcdRestoredTest,
                         ::testing::Values(Relays::kGoOn, Relays::kAreRestarted),
                         [](const auto& relays) {
                           return relays.param == Relays::kGoOn ? "GoOn" : "AreRestarted";
                         });

}  // namespace
}  // namespace wormhole::testing
