#include "client/stream/proxy.h"

#include <map>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

using Environment = std::map<std::string, std::string>;

ProxySettings Read(const Environment& environment) {
  return ProxySettings::From([&environment](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

Endpoint At(const std::string& relay) { return ParseRelayAddress(relay)->endpoints.at(0); }

TEST(ProxySettingsTest, TheVariablesOfCurlInItsOrder) {
  Environment environment = {{"HTTP_PROXY", "cgi"}};
  EXPECT_EQ(Read(environment).for_plaintext.value, "") << "a web server's client chooses this one";
  EXPECT_EQ(Read(environment).for_tls.value, "");
  environment["http_proxy"] = "http";
  EXPECT_EQ(Read(environment).for_plaintext.name, "http_proxy");
  EXPECT_EQ(Read(environment).for_tls.value, "http") << "the only one is better than none";
  environment["ALL_PROXY"] = "ALL";
  EXPECT_EQ(Read(environment).for_tls.value, "ALL");
  environment["all_proxy"] = "all";
  EXPECT_EQ(Read(environment).for_tls.value, "all");
  environment["HTTPS_PROXY"] = "HTTPS";
  EXPECT_EQ(Read(environment).for_tls.name, "HTTPS_PROXY");
  environment["https_proxy"] = "https";
  EXPECT_EQ(Read(environment).for_tls.value, "https");
  environment["https_proxy"] = "";
  EXPECT_EQ(Read(environment).for_tls.value, "HTTPS") << "empty counts as not set";
  EXPECT_EQ(Read(environment).for_plaintext.value, "http");
  environment["grpc_proxy"] = " grpc\n";
  EXPECT_EQ(Read(environment).for_tls.value, "grpc");
  EXPECT_EQ(Read(environment).for_plaintext.value, "grpc");
}

TEST(ProxySettingsTest, NoProxyInBothCases) {
  EXPECT_EQ(Read({{"NO_PROXY", "a"}}).no_proxy, "a");
  EXPECT_EQ(Read({{"NO_PROXY", "a"}, {"no_proxy", "b"}}).no_proxy, "b");
  EXPECT_EQ(Read({{"no_proxy", "b"}, {"no_grpc_proxy", "c"}}).no_proxy, "c");
}

struct Listing {
  const char* list;
  const char* relay;
  bool listed;
};

TEST(IsListedTest, AsCurlReadsIt) {
  const Listing kListings[] = {
      {"*", "relay.example.com:443", true},
      {" * ", "10.1.2.3:443", true},
      {"", "relay.example.com:443", false},
      {"relay.example.com", "relay.example.com:443", true},
      {"RELAY.example.COM", "relay.Example.com:443", true},
      {"example.com", "relay.example.com:443", true},
      {".example.com", "relay.example.com:443", true},
      {".example.com", "example.com:443", true},
      {"*.example.com", "relay.example.com:443", true},
      {"example.com.", "relay.example.com.:443", true},
      {"ample.com", "relay.example.com:443", false},
      {"example.com", "example.com.org:443", false},
      {"com", "relay.example.com:443", true},
      {".", "relay.example.com:443", false},
      {"a.test, relay.example.com", "relay.example.com:443", true},
      {"a.test relay.example.com", "relay.example.com:443", true},
      {" ,a.test ,, relay.example.com ,", "relay.example.com:443", true},
      {"a.test\trelay.example.com\n", "relay.example.com:443", true},
      {"relay.example.com:443", "relay.example.com:443", true},
      {"relay.example.com:8443", "relay.example.com:443", false},
      {"relay.example.com:https", "relay.example.com:443", false},
      {"*:443", "relay.example.com:443", true},
      {"10.0.0.0/8", "10.1.2.3:443", true},
      {"10.0.0.0/8", "11.1.2.3:443", false},
      {"10.0.0.0/8:443", "10.1.2.3:443", true},
      {"192.168.128.0/17", "192.168.127.255:443", false},
      {"192.168.128.0/17", "192.168.128.1:443", true},
      {"0.0.0.0/0", "10.1.2.3:443", true},
      {"10.1.2.3/32", "10.1.2.3:443", true},
      {"10.1.2.3/33", "10.1.2.3:443", false},
      {"10.1.2.3/x", "10.1.2.3:443", false},
      {"10.1.2.3", "10.1.2.3:443", true},
      {"10.1.2.3:443", "10.1.2.3:443", true},
      {"10.1.2.3:444", "10.1.2.3:443", false},
      {"2.3", "10.1.2.3:443", false},
      {"10.0.0.0/8", "relay.example.com:443", false},
      {"2001:db8::1", "[2001:db8::1]:443", true},
      {"2001:DB8:0::1", "[2001:db8::1]:443", true},
      {"[2001:db8::1]", "[2001:db8::1]:443", true},
      {"[2001:db8::1]:443", "[2001:db8::1]:443", true},
      {"[2001:db8::1]:444", "[2001:db8::1]:443", false},
      {"2001:db8::/32", "[2001:db8::1]:443", true},
      {"2001:db8::/32", "[2001:db9::1]:443", false},
      {"fe80::/10", "[fe80::1%eth0]:443", true},
      {"10.0.0.0/8", "[2001:db8::1]:443", false},
  };
  for (const Listing& one : kListings) {
    EXPECT_EQ(IsListed(At(one.relay), one.list), one.listed) << one.list << " for " << one.relay;
  }
}

ProxySettings With(const std::string& value, const std::string& no_proxy = "") {
  return Read({{"https_proxy", value}, {"no_proxy", no_proxy}});
}

TEST(ProxyForTest, TakesWhatPeopleWrite) {
  const struct {
    const char* value;
    const char* address;
    const char* credentials;
  } kProxies[] = {
      {"http://proxy.test:3128", "proxy.test:3128", ""},
      {"HTTP://proxy.test:3128/", "proxy.test:3128", ""},
      {"proxy.test:3128", "proxy.test:3128", ""},
      {"proxy.test", "proxy.test:1080", ""},
      {"http://127.0.0.1:8080", "127.0.0.1:8080", ""},
      {"http://[2001:db8::7]:8080/", "[2001:db8::7]:8080", ""},
      {"http://[::1]", "[::1]:1080", ""},
      {"http://user:word@proxy.test:3128", "proxy.test:3128", "user:word"},
      {"user:word@proxy.test:3128", "proxy.test:3128", "user:word"},
      {"http://user@proxy.test:3128", "proxy.test:3128", "user:"},
      {"http://us%65r:p%40ss%2Fw%3Ao%25rd@proxy.test:3128", "proxy.test:3128", "user:p@ss/w:o%rd"},
      {"http://user:p/a@s:s@proxy.test:3128/", "proxy.test:3128", "user:p/a@s:s"},
      {"http://user:100%@proxy.test:3128", "proxy.test:3128", "user:100%"},
  };
  for (const auto& one : kProxies) {
    const auto proxy = ProxyFor(At("relay.example.com:443"), true, With(one.value));
    ASSERT_TRUE(proxy.ok()) << one.value << ": " << proxy.status();
    ASSERT_TRUE(proxy->has_value()) << one.value;
    EXPECT_EQ((*proxy)->HostPort(), one.address) << one.value;
    EXPECT_EQ((*proxy)->credentials, one.credentials) << one.value;
  }
}

TEST(ProxyForTest, WhatIsNoneIsRefusedAndNotPassedBy) {
  for (const char* value :
       {"http://", "https://proxy.test:3128", "socks5://proxy.test:1080", "http://proxy.test:port",
        "http://proxy.test:0", "http://proxy.test:65536", "http://secret:word@", "http://a b:1",
        "http://user:secret%0d%0aX: y@proxy.test:1", "http://[proxy]:1", "http://[127.0.0.1]:1",
        "http://2001:db8::7:8080", "http://[2001:db8::7:8080", ":3128"}) {
    const auto proxy = ProxyFor(At("relay.example.com:443"), true, With(value));
    EXPECT_EQ(ReasonOf(proxy.status()), Reason::kInvalidArgument) << value;
    EXPECT_TRUE(absl::StartsWith(proxy.status().message(), "set $https_proxy to")) << value;
    EXPECT_FALSE(absl::StrContains(proxy.status().message(), "secret")) << proxy.status();
  }
}

TEST(ProxyForTest, NeverForThisMachineOrWhatIsListed) {
  for (const char* relay : {"localhost:1", "127.0.0.1:1", "[::1]:1"}) {
    EXPECT_EQ(*ProxyFor(At(relay), true, With("http://[broken")), std::nullopt) << relay;
  }
  EXPECT_EQ(*ProxyFor(At("10.1.2.3:1"), true, With("http://[broken", "10.0.0.0/8")), std::nullopt);
  EXPECT_EQ(*ProxyFor(At("10.1.2.3:1"), true, {}), std::nullopt);
}

}  // namespace
}  // namespace wormhole
