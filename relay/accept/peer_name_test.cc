#include "relay/accept/peer_name.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "proto/net/address.h"

namespace wormhole::relay {
namespace {

std::string Read(const std::string& name) {
  const std::optional<NamedPeer> peer = ReadPeerName(name);
  return peer ? peer->address.ToString() + " " + peer->port : "none";
}

TEST(PeerNameTest, IsReadAsItIsWritten) {
  EXPECT_EQ(Read(PeerName(*net::Address::Parse("192.0.2.7"), 50312)), "192.0.2.7 50312");
  EXPECT_EQ(Read(PeerName(*net::Address::Parse("2001:db8::7"), 1)), "2001:db8::7 1");
  EXPECT_EQ(Read(PeerName(*net::Address::Parse("::ffff:192.0.2.7"), 1)), "192.0.2.7 1");
}

TEST(PeerNameTest, AsGrpcWritesThem) {
  EXPECT_EQ(Read("ipv6:%5Bfe80::1%25eth0%5D:50312"), "fe80::1 50312");
  EXPECT_EQ(Read("ipv6:%5B::ffff:192.0.2.7%5D:50312"), "192.0.2.7 50312");
}

TEST(PeerNameTest, WhatHasNoAddress) {
  for (const char* const name :
       {"", "unix:", "unix:/run/relay.sock", "unknown", "ipv4:", "ipv4:192.0.2.7", "ipv4:x:1",
        "ipv4:192.0.2.7:123456", "ipv6:2001:db8::7:1", "ipv6:%5B192.0.2.7%5D:1"}) {
    EXPECT_EQ(Read(name), "none") << name;
  }
}

}  // namespace
}  // namespace wormhole::relay
