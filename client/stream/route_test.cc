#include "client/stream/route.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

ProxySettings Through(const std::string& proxy, const std::string& no_proxy = "") {
  return {.for_tls = {"https_proxy", proxy},
          .for_plaintext = {"http_proxy", proxy},
          .no_proxy = no_proxy};
}

TEST(RoutesToTest, WithoutAProxyAsWritten) {
  for (const char* relay : {"relay.example.com:443", "dns:///relay.example.com:443",
                            "[2001:db8::1]:443", "unix:/tmp/socket", "ipv4:10.0.0.1:1"}) {
    const auto routes = RoutesTo(relay, true, {});
    ASSERT_TRUE(routes.ok()) << routes.status();
    ASSERT_EQ(routes->size(), 1u);
    EXPECT_EQ(routes->front().target, relay);
    EXPECT_EQ(routes->front().authority, "");
    EXPECT_EQ(routes->front().connect_to, "");
  }
}

TEST(RoutesToTest, AListHasTheNameOfItsFirst) {
  const auto routes = RoutesTo("ipv4:10.0.0.1:1,10.0.0.2:2", true, {});
  ASSERT_EQ(routes->size(), 1u);
  EXPECT_EQ(routes->front().target, "ipv4:10.0.0.1:1,10.0.0.2:2");
  EXPECT_EQ(routes->front().authority, "10.0.0.1:1");
}

TEST(RoutesToTest, AZoneIsForThisMachineAlone) {
  for (const char* relay :
       {"[fe80::1%eth0]:47180", "[fe80::1%25eth0]:47180", "ipv6:[fe80::1%eth0]:47180"}) {
    const auto routes = RoutesTo(relay, true, {});
    ASSERT_TRUE(routes.ok()) << routes.status();
    EXPECT_EQ(routes->front().target, "ipv6:%5Bfe80::1%25eth0%5D:47180") << relay;
    EXPECT_EQ(routes->front().authority, "[fe80::1]:47180") << relay;
  }
}

TEST(RoutesToTest, ThroughAProxy) {
  const auto routes = RoutesTo("relay.example.com:443", true, Through("http://a:b@proxy.test:3"));
  ASSERT_TRUE(routes.ok()) << routes.status();
  ASSERT_EQ(routes->size(), 1u);
  EXPECT_EQ(routes->front().target, "dns:///proxy.test:3");
  EXPECT_EQ(routes->front().authority, "relay.example.com:443");
  EXPECT_EQ(routes->front().connect_to, "relay.example.com:443");
  EXPECT_EQ(routes->front().proxy->credentials, "a:b");
}

TEST(RoutesToTest, EachAddressOfAListByItself) {
  const auto routes = RoutesTo("ipv4:10.0.0.1:1,10.1.0.2:2,127.0.0.1:3", false,
                               Through("http://proxy.test:3", "10.1.0.0/16"));
  ASSERT_TRUE(routes.ok()) << routes.status();
  ASSERT_EQ(routes->size(), 3u);
  EXPECT_EQ(routes->at(0).target, "dns:///proxy.test:3");
  EXPECT_EQ(routes->at(0).connect_to, "10.0.0.1:1");
  EXPECT_EQ(routes->at(1).target, "ipv4:10.1.0.2:2");
  EXPECT_EQ(routes->at(1).connect_to, "");
  EXPECT_EQ(routes->at(2).target, "ipv4:127.0.0.1:3");
  for (const Route& route : *routes) EXPECT_EQ(route.authority, "10.0.0.1:1");
}

TEST(RoutesToTest, AListThatNoProxyCovers) {
  const auto routes = RoutesTo("ipv4:10.0.0.1:1,10.0.0.2:2", false,
                               Through("http://proxy.test:3", "10.0.0.1,10.0.0.2"));
  ASSERT_EQ(routes->size(), 1u);
  EXPECT_EQ(routes->front().target, "ipv4:10.0.0.1:1,10.0.0.2:2");
}

TEST(RoutesToTest, SocketsKnowNoProxy) {
  EXPECT_EQ(RoutesTo("unix:/tmp/socket", false, Through("http://proxy.test:3"))->front().target,
            "unix:/tmp/socket");
}

TEST(RoutesToTest, ABadProxyIsRefused) {
  EXPECT_EQ(ReasonOf(RoutesTo("10.0.0.1:1", false, Through("https://p:1")).status()),
            Reason::kInvalidArgument);
}

}  // namespace
}  // namespace wormhole
