// The networks of clients that InspectionService shows, over real gRPC.
#include <poll.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/relay/inspection_fixture.h"
#include "tests/support/raw_socket.h"

namespace wormhole::service_test {
namespace {

using rendezvous::v1::ClientNetwork;
using testing::RawSocket;

constexpr char kHere[] = "127.0.0.0/24";

class NetworksTest : public InspectionTest {
 protected:
  // Once it is as `good` says: the relay hears of connections and of the end of streams in its
  // time.
  template <typename Good>
  ClientNetwork Await(Good good) {
    while (true) {
      for (const ClientNetwork& network : inspection_->Networks()) {
        if (good(network)) return network;
      }
      if (::testing::Test::HasFailure()) return {};
      poll(nullptr, 0, 10);  // an operator has so many calls a minute
    }
  }
};

TEST_F(NetworksTest, NobodyHasCome) {
  Serve();
  Inspect();
  EXPECT_TRUE(inspection_->Networks().empty());
}

TEST_F(NetworksTest, ShowsWhatANetworkHoldsAndWhatItHasDone) {
  Serve();
  Inspect();
  {
    const auto pair = OpenPair();
    const ClientNetwork here =
        Await([](const auto& network) { return network.connections() == 1; });
    EXPECT_EQ(here.network(), kHere);
    EXPECT_EQ(here.streams_now(), 2u);
    EXPECT_EQ(here.streams(), 2u);
    EXPECT_EQ(here.channels_now(), 1u);
    EXPECT_EQ(here.loudness(), 6u);
    EXPECT_EQ(here.overstated_by(), 0u);
    EXPECT_TRUE(here.has_since());
    EXPECT_EQ(here.refused_size(), 0);
    EXPECT_EQ(here.DebugString().find("127.0.0.1"), std::string::npos);
  }
  const ClientNetwork left = Await([](const auto& network) { return network.streams_now() == 0; });
  EXPECT_EQ(left.streams(), 2u);
  EXPECT_EQ(left.channels_now(), 1u);
}

TEST_F(NetworksTest, ShowsConnectionsThatWereRefused) {
  config_.max_connections_per_address = 1;
  Serve();
  Inspect();
  const RawSocket first = RawSocket::Connect(server_->address());
  Await([](const auto& network) { return network.connections() == 1; });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(RawSocket::Connect(server_->address()).AwaitReset());
  const ClientNetwork here = Await([](const auto& network) {
    return network.refused_size() == 1 && network.refused(0).times() == 3;
  });
  EXPECT_EQ(here.refused(0).reason(), "connections_of_address");
}

TEST_F(NetworksTest, AProxysOwnConnectionsAreNobodys) {
  Serve();
  Inspect();
  const net::Address proxy = *net::Address::Parse("192.0.2.1");
  monitor_.OnClient(relay::Arrival::kProxysOwn, proxy);
  EXPECT_TRUE(inspection_->Networks().empty());
  monitor_.OnClient(relay::Arrival::kAdmitted, proxy);
  EXPECT_EQ(inspection_->Networks().size(), 1u);
}

TEST_F(NetworksTest, ShowsWhatAdmissionHasRefusedTheLoudestFirst) {
  Serve();
  Inspect();
  const auto refuse = [this](const char* address, relay::Refusal refusal, int times) {
    for (int i = 0; i < times; ++i) {
      monitor_.OnRefused(refusal, *net::Address::Parse(address), kApp);
    }
  };
  refuse("198.51.100.7", relay::Refusal::kClaimRate, 1);
  refuse("2001:db8:5:6::7", relay::Refusal::kFailedClaimRate, 20);
  refuse("2001:db8:5:8::9", relay::Refusal::kMemory, 10);
  refuse("0.0.0.0", relay::Refusal::kStreamsInAll, 5);
  const std::vector<ClientNetwork> networks = inspection_->Networks();
  ASSERT_EQ(networks.size(), 3u);
  EXPECT_EQ(networks[0].network(), "2001:db8:5::/48");
  ASSERT_EQ(networks[0].refused_size(), 2);
  EXPECT_EQ(networks[0].refused(0).reason(), "failed_claim_rate");
  EXPECT_EQ(networks[0].refused(0).times(), 20u);
  EXPECT_EQ(networks[0].refused(1).reason(), "memory");
  EXPECT_EQ(networks[1].network(), "unix");
  EXPECT_EQ(networks[2].network(), "198.51.100.0/24");
  EXPECT_EQ(inspection_->Networks(2).size(), 2u);
}

}  // namespace
}  // namespace wormhole::service_test
