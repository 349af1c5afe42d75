#include "relay/config/socket_address.h"

#include <string>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

TEST(SocketAddressTest, PathsOfListeners) {
  EXPECT_EQ(SocketPath("unix:/run/relay.sock"), "/run/relay.sock");
  EXPECT_EQ(SocketPath("unix:///run/relay.sock"), "/run/relay.sock");
  EXPECT_EQ(SocketPath("unix:relay.sock"), "relay.sock");
  EXPECT_EQ(SocketPath("[::]:47180"), "");
  EXPECT_EQ(SocketPath("unix-abstract:x"), "");
}

TEST(SocketAddressTest, RoomForThePathAndForTheOneThatIsBound) {
  EXPECT_TRUE(FitsSocketAddress("/" + std::string(106, 'p')));
  EXPECT_FALSE(FitsSocketAddress("/" + std::string(107, 'p')));
  EXPECT_TRUE(FitsSocketAddress("/" + std::string(97, 'f') + "/s"));
  EXPECT_FALSE(FitsSocketAddress("/" + std::string(98, 'f') + "/s"));
}

TEST(SocketAddressTest, WhatOnlyThisMachineReaches) {
  for (const char* listen : {"127.0.0.1:47180", "127.9.9.9:0", "[::1]:47180", "unix:relay.sock"}) {
    EXPECT_TRUE(IsOfThisMachine(listen)) << listen;
  }
  for (const char* listen : {"0.0.0.0:47180", "[::]:47180", "192.0.2.7:47180", "[2001:db8::1]:1"}) {
    EXPECT_FALSE(IsOfThisMachine(listen)) << listen;
  }
}

}  // namespace
}  // namespace wormhole::relay
