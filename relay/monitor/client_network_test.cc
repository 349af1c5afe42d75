#include "relay/monitor/client_network.h"

#include <random>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

TEST(ClientNetworkTest, ShowsNetworksOrWholeAddresses) {
  const struct {
    const char* peer;
    const char* network;
    const char* address;
  } kCases[] = {
      {"ipv4:192.0.2.7:50312", "192.0.2.0/24", "192.0.2.7:50312"},
      {"ipv6:%5B2001:db8:1:2::7%5D:443", "2001:db8:1::/48", "[2001:db8:1:2::7]:443"},
      {"ipv6:[2001:db8:1:2::7]:443", "2001:db8:1::/48", "[2001:db8:1:2::7]:443"},
      {"ipv6:%5B::1%5D:1", "::/48", "[::1]:1"},
      {"ipv6:%5Bfe80::1%25eth0%5D:1", "fe80::/48", "[fe80::1]:1"},
      {"ipv6:%5B::ffff:192.0.2.7%5D:9", "192.0.2.0/24", "192.0.2.7:9"},
      {"unix:/run/relay.sock", "unix", "unix"},
      {"unix:", "unix", "unix"},
      {"unix-abstract:relay", "unix", "unix"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(ClientNetwork(c.peer), c.network) << c.peer;
    EXPECT_EQ(ClientAddress(c.peer), c.address) << c.peer;
  }
}

TEST(ClientNetworkTest, AnythingElseIsUnknown) {
  for (const char* peer :
       {"", "unknown", "vsock:1:2", "ipv4:", "ipv4:192.0.2.7", "ipv4:192.0.2:1",
        "ipv4:192.0.2.7:", "ipv4:192.0.2.7:123456", "ipv4:192.0.2.7:1\n2", "ipv6:2001:db8::7:1",
        "ipv6:%5B::1:1", "ipv6:%5B%5D:1", "ipv6:%5:1", "dns:name:1"}) {
    EXPECT_EQ(ClientNetwork(peer), "unknown") << peer;
    EXPECT_EQ(ClientAddress(peer), "unknown") << peer;
  }
}

TEST(ClientNetworkTest, RandomPeersAreHarmless) {
  std::mt19937 random(1);
  const std::string letters = "0123456789abcdef:.%5BDunixpv[]\n";
  for (int round = 0; round < 20'000; ++round) {
    std::string peer = round % 2 == 0 ? "ipv6:" : "ipv4:";
    for (size_t left = random() % 30; left > 0; --left) peer += letters[random() % letters.size()];
    for (const std::string& text : {ClientNetwork(peer), ClientAddress(peer)}) {
      ASSERT_EQ(text.find_first_of(" \n\""), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace wormhole::relay
