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

}  // namespace
}  // namespace wormhole::relay
