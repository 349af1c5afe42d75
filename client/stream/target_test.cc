#include "client/stream/target.h"

#include <string>

#include "client/core/outcome.h"
#include "gtest/gtest.h"

namespace wormhole {
namespace {

TEST(IsLoopbackTest, KnowsThisMachineInEveryForm) {
  for (const char* relay :
       {"localhost:47180", "LOCALHOST:1", "127.0.0.1:47180", "127.255.3.4:65535", "[::1]:47180",
        "dns:localhost:1", "dns:///localhost:47180", "dns:///127.0.0.1:1", "dns:///[::1]:1",
        "ipv4:127.0.0.1:1", "ipv4:127.0.0.1:1,127.0.0.2:2", "ipv6:[::1]:1", "ipv6:[::1]:1,[::1]:2",
        "[::ffff:127.0.0.1]:1", "unix:/tmp/socket", "unix:///tmp/socket", "unix-abstract:name"}) {
    const auto loopback = IsLoopback(relay);
    ASSERT_TRUE(loopback.ok()) << loopback.status();
    EXPECT_TRUE(*loopback) << relay;
  }
}

TEST(IsLoopbackTest, AllElseIsElsewhere) {
  for (const char* relay :
       {"relay.example.com:443", "localhost.example.com:443", "notlocalhost:1", "10.0.0.1:1",
        "128.0.0.1:1", "[2001:db8::1]:443", "dns://10.1.1.1/localhost:1", "127.1:1",
        "ipv4:127.0.0.1:1,10.0.0.1:1", "ipv6:[::1]:1,[::2]:1", "[::ffff:10.0.0.1]:1"}) {
    const auto loopback = IsLoopback(relay);
    ASSERT_TRUE(loopback.ok()) << loopback.status();
    EXPECT_FALSE(*loopback) << relay;
  }
}

TEST(IsLoopbackTest, RefusesWhatIsNoAddress) {
  for (const char* relay : {"",
                            "localhost",
                            "localhost:",
                            "localhost:0",
                            "localhost:65536",
                            "localhost:+80",
                            "localhost:x",
                            ":80",
                            "::1:80",
                            "[::1]",
                            "[::1]:",
                            "[nonsense]:80",
                            "[127.0.0.1]:80",
                            "https://relay.example.com:443",
                            "relay.example.com/path:443",
                            "ipv4:localhost:1",
                            "ipv4:127.0.0.1",
                            "ipv4:127.0.0.1:1,",
                            "ipv6:127.0.0.1:1",
                            "unix:",
                            "dns:",
                            "dns://",
                            "dns:///",
                            "dns://server",
                            "xds:///name",
                            "two words:80",
                            "tab\t:80",
                            "\x80:80"}) {
    const auto loopback = IsLoopback(relay);
    EXPECT_EQ(loopback.status().code(), absl::StatusCode::kInvalidArgument) << relay;
    EXPECT_EQ(ReasonOf(loopback.status()), Reason::kInvalidArgument) << relay;
  }
  EXPECT_FALSE(IsLoopback(std::string(2000, 'a') + ":1").ok());
}

const char kCertificate[] = "-----BEGIN CERTIFICATE-----\n";
const char kKey[] = "-----BEGIN PRIVATE KEY-----\n";

TEST(CheckTargetTest, AutoIsPlaintextOnlyOnThisMachineAndWithoutCredentials) {
  EXPECT_EQ(*CheckTarget({.relay = "localhost:1"}), Security::kPlaintext);
  EXPECT_EQ(*CheckTarget({.relay = "relay.example.com:1"}), Security::kTls);
  EXPECT_EQ(*CheckTarget({.relay = "localhost:1", .tls = {.root_certificates = kCertificate}}),
            Security::kTls);
  EXPECT_EQ(*CheckTarget({.relay = "localhost:1", .security = Security::kTls}), Security::kTls);
  EXPECT_EQ(*CheckTarget({.relay = "relay.example.com:1", .security = Security::kPlaintext}),
            Security::kPlaintext);
}

TEST(CheckTargetTest, ATokenDoesNotTravelInTheClear) {
  EXPECT_TRUE(CheckTarget({.relay = "relay.example.com:1", .bearer_token = "t"}).ok());
  EXPECT_TRUE(CheckTarget({.relay = "localhost:1", .bearer_token = "t"}).ok());
  EXPECT_FALSE(
      CheckTarget(
          {.relay = "relay.example.com:1", .security = Security::kPlaintext, .bearer_token = "t"})
          .ok());
}

TEST(CheckTargetTest, ATokenIsPrintable) {
  for (const std::string& token :
       {std::string("line\n"), std::string("a b"), std::string("\x80"), std::string(5000, 'a')}) {
    EXPECT_FALSE(CheckTarget({.relay = "localhost:1", .bearer_token = token}).ok()) << token;
  }
}

TEST(CheckTargetTest, CertificatesFitTogether) {
  const Tls whole = {.certificate_chain = kCertificate, .private_key = kKey};
  EXPECT_EQ(*CheckTarget({.relay = "relay.example.com:1", .tls = whole}), Security::kTls);
  for (const Tls& tls :
       {Tls{.certificate_chain = kCertificate}, Tls{.private_key = kKey},
        Tls{.root_certificates = "file.pem"}, Tls{.certificate_chain = "x", .private_key = kKey},
        Tls{.certificate_chain = kCertificate, .private_key = "x"}}) {
    EXPECT_FALSE(CheckTarget({.relay = "relay.example.com:1", .tls = tls}).ok());
  }
  EXPECT_FALSE(
      CheckTarget({.relay = "localhost:1", .security = Security::kPlaintext, .tls = whole}).ok());
}

}  // namespace
}  // namespace wormhole
