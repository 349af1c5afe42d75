#include "proto/net/address.h"

#include "gtest/gtest.h"

namespace wormhole::net {
namespace {

using std::string_view_literals::operator""sv;

Address Parsed(std::string_view text) {
  const auto address = Address::Parse(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(Address());
}

TEST(AddressTest, WhatIsAndWhatIsNone) {
  for (const char* text : {"192.0.2.7", "0.0.0.0", "2001:db8::7", "::", "::ffff:192.0.2.7"}) {
    EXPECT_EQ(Parsed(text).ToString(), text);
    EXPECT_EQ(Parsed(text).v6(), std::string_view(text).find(':') != std::string_view::npos);
  }
  EXPECT_EQ(Parsed("2001:DB8:0::7").ToString(), "2001:db8::7");
  for (const std::string_view text :
       {""sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.07"sv, "192.0.2.7 "sv, "[::1]"sv, "::1%lo"sv,
        "::1:"sv, "example.com"sv, "1.2.3.4/8"sv, "1.2.3.4\0x"sv, "\0"sv}) {
    EXPECT_FALSE(Address::Parse(text).has_value()) << text;
  }
}

TEST(AddressTest, AnIpv4AddressInIpv6sClothes) {
  EXPECT_EQ(Parsed("::ffff:192.0.2.7").Unmapped(), Parsed("192.0.2.7"));
  for (const char* text : {"192.0.2.7", "::fffe:192.0.2.7", "::192.0.2.7", "1::ffff:192.0.2.7"}) {
    EXPECT_EQ(Parsed(text).Unmapped(), Parsed(text)) << text;
  }
}

TEST(AddressTest, Networks) {
  EXPECT_EQ(Parsed("192.0.2.255").Network(24).ToString(), "192.0.2.0");
  EXPECT_EQ(Parsed("192.0.2.255").Network(25).ToString(), "192.0.2.128");
  EXPECT_EQ(Parsed("192.0.2.255").Network(32).ToString(), "192.0.2.255");
  EXPECT_EQ(Parsed("192.0.2.255").Network(0).ToString(), "0.0.0.0");
  EXPECT_EQ(Parsed("2001:db8:1:2::7").Network(48).ToString(), "2001:db8:1::");
  EXPECT_EQ(Parsed("2001:db8:1:2::7").Network(128), Parsed("2001:db8:1:2::7"));
}

TEST(AddressTest, NobodysAndOnesOwn) {
  for (const char* text : {"0.0.0.0", "::", "::ffff:0.0.0.0"}) {
    EXPECT_TRUE(Parsed(text).unspecified()) << text;
    EXPECT_FALSE(Parsed(text).loopback()) << text;
  }
  for (const char* text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(Parsed(text).loopback()) << text;
    EXPECT_FALSE(Parsed(text).unspecified()) << text;
  }
  for (const char* text : {"126.0.0.1", "::2", "1::1", "::127.0.0.1"}) {
    EXPECT_FALSE(Parsed(text).loopback()) << text;
  }
}

TEST(NetworkTest, Contains) {
  const struct {
    const char* network;
    const char* address;
    bool contains;
  } kCases[] = {
      {"10.0.0.0/8", "10.255.1.1", true},
      {"10.9.9.9/8", "10.255.1.1", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/9", "10.128.0.0", false},
      {"0.0.0.0/0", "203.0.113.1", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.7", "192.0.2.6", false},
      {"192.0.2.7/32", "192.0.2.7", true},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
  };
  for (const auto& c : kCases) {
    const auto network = Network::Parse(c.network);
    ASSERT_TRUE(network.has_value()) << c.network;
    EXPECT_EQ(network->Contains(Parsed(c.address)), c.contains) << c.network << " " << c.address;
  }
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ",
                           "10.0.0.0/+8", "10.0.0.0/8/8", "10/8", "2001:db8::/129", "name/8"}) {
    EXPECT_FALSE(Network::Parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace wormhole::net
