// The binary where the kernel has no IPv6: [::], the default of the public port and what every
// example says of the others, then stands for all addresses of IPv4.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/attach_client.h"
#include "tests/support/http_client.h"
#include "tests/support/reflection_client.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using ::testing::HasSubstr;
using testing::RelayProcess;
using ::testing::StartsWith;

constexpr char kHealth[] = "/grpc.health.v1.Health/Check";

RelayProcess::Options WithoutIpv6(std::vector<std::string> flags) {
  flags.push_back("--store=memory");
  return {.flags = std::move(flags), .runner = {std::getenv("WORMHOLE_WITHOUT_IPV6")}};
}

// The same port, by IPv4.
std::string OnLoopback(const std::string& address) {
  EXPECT_THAT(address, StartsWith("[::]:"));
  return "127.0.0.1" + address.substr(address.rfind(':'));
}

TEST(NoIpv6Test, AllAddressesAreThoseOfIpv4) {
  RelayProcess relay(WithoutIpv6({"--listen=[::]:0", "--admin-listen=[::]:0",
                                  "--probe-listen=[::]:0", "--metrics-listen=[::]:0"}));
  const std::string address = relay.AwaitListening();
  ASSERT_NE(address, "") << relay.error();
  AttachClient client(Connect(OnLoopback(address)));
  ASSERT_TRUE(client.Send(OpenAllocate('a')));
  const auto opened = client.Receive();
  EXPECT_TRUE(opened && opened->has_opened());
  for (const char* port : {"admin on ", "probes on "}) {
    const grpc::Status status = CallEmpty(OnLoopback(relay.AwaitLine(port)), kHealth);
    EXPECT_TRUE(status.ok()) << port << status.error_message();
  }
  EXPECT_EQ(HttpGet(OnLoopback(relay.AwaitLine("metrics on "))).status, 200);
}

// So IPv6 was away in the test above.
TEST(NoIpv6Test, AnAddressOfIpv6IsRefusedInOneLine) {
  RelayProcess relay(WithoutIpv6({"--listen=[::1]:0"}));
  EXPECT_EQ(relay.AwaitExit(), 1);
  EXPECT_THAT(relay.error(), HasSubstr("cannot listen on [::1]:0"));
  EXPECT_EQ(relay.error().find('\n'), relay.error().size() - 1);
}

}  // namespace
}  // namespace wormhole::service_test
