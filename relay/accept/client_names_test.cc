#include "relay/accept/client_names.h"

#include "gtest/gtest.h"
#include "relay/accept/peer_name.h"

namespace wormhole::relay {
namespace {

std::string Named(const char* address) { return PeerName(*net::Address::Parse(address), 50312); }

TEST(ClientNamesTest, AsGrpcWritesThem) {
  EXPECT_EQ(Named("192.0.2.7"), "ipv4:192.0.2.7:50312");
  EXPECT_EQ(Named("::ffff:192.0.2.7"), "ipv4:192.0.2.7:50312");
  EXPECT_EQ(Named("2001:db8::7"), "ipv6:%5B2001:db8::7%5D:50312");
}

TEST(ClientNamesTest, AConnectionHasItsNameUntilItCloses) {
  ClientNames names;
  EXPECT_EQ(names.Of("ipv4:10.0.0.1:1"), "ipv4:10.0.0.1:1");
  names.Set("ipv4:10.0.0.1:1", 100, "ipv4:192.0.2.7:50312");
  EXPECT_EQ(names.Of("ipv4:10.0.0.1:1"), "ipv4:192.0.2.7:50312");
  EXPECT_EQ(names.Of("ipv4:10.0.0.1:2"), "ipv4:10.0.0.1:2");
  names.Forget("ipv4:10.0.0.1:1", 100);
  EXPECT_EQ(names.Of("ipv4:10.0.0.1:1"), "ipv4:10.0.0.1:1");
}

TEST(ClientNamesTest, ThatAnEarlierOneHasClosedIsNoticedLate) {
  ClientNames names;
  names.Set("ipv4:10.0.0.1:1", 100, "ipv4:192.0.2.7:50312");
  names.Set("ipv4:10.0.0.1:1", 101, "ipv4:192.0.2.8:50312");
  names.Forget("ipv4:10.0.0.1:1", 100);
  EXPECT_EQ(names.Of("ipv4:10.0.0.1:1"), "ipv4:192.0.2.8:50312");
  names.Forget("ipv4:10.0.0.1:1", 101);
  EXPECT_EQ(names.count(), 0u);
}

TEST(ClientNamesTest, AProxysOwnConnectionHasNoClient) {
  ClientNames names;
  names.Set("ipv4:10.0.0.1:1", 100, "ipv4:192.0.2.7:50312");
  names.Forget("ipv4:10.0.0.1:1");
  EXPECT_EQ(names.Of("ipv4:10.0.0.1:1"), "ipv4:10.0.0.1:1");
  names.Forget("ipv4:10.0.0.1:1", 100);  // what is noticed late is no harm
}

}  // namespace
}  // namespace wormhole::relay
