#include "relay/server/listeners.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

constexpr int kBacklog = 8;

bool ConnectsToIPv4(uint16_t port) {
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(client, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
  close(client);
  return connected;
}

bool ConnectsToIPv6(uint16_t port) {
  sockaddr_in6 to = {};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  to.sin6_addr = in6addr_loopback;
  const int client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(client, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
  close(client);
  return connected;
}

bool HaveIPv6() {
  Listeners probe;
  return probe.Open("[::1]:0", kBacklog).ok();
}

TEST(ListenersTest, ZerosAreIPv4UnlessEverythingIsMeant) {
  Listeners plain;
  ASSERT_TRUE(plain.Open("0.0.0.0:0", kBacklog).ok());
  EXPECT_TRUE(ConnectsToIPv4(plain.port()));
  EXPECT_FALSE(ConnectsToIPv6(plain.port()));

  Listeners everything;
  ASSERT_TRUE(everything.Open("0.0.0.0:0", kBacklog, Listeners::Zeros::kEverything).ok());
  EXPECT_TRUE(ConnectsToIPv4(everything.port()));
  EXPECT_EQ(ConnectsToIPv6(everything.port()), HaveIPv6());
  EXPECT_TRUE(absl::StartsWith(everything.address(), "0.0.0.0:")) << everything.address();
}

// More than the 4,096 that SOMAXCONN is, where the kernel has more.
TEST(ListenersTest, ALongBacklogIsTheKernels) {
  int most = 0;
  std::ifstream("/proc/sys/net/core/somaxconn") >> most;
  Listeners listeners;
  ASSERT_TRUE(listeners.Open("127.0.0.1:0", Listeners::kLongBacklog).ok());
  tcp_info info = {};
  socklen_t size = sizeof(info);
  ASSERT_EQ(getsockopt(listeners.sockets().front(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  EXPECT_EQ(info.tcpi_sacked, static_cast<uint32_t>(most));  // of a listener: its backlog
}

}  // namespace
}  // namespace wormhole::relay
