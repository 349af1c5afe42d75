#include "client/stream/target.h"

#include <netdb.h>
#include <netinet/in.h>

#include <iterator>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

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
        "[fe80::1%eth0]:47180", "[fe80::1%25eth0]:47180", "ipv6:[fe80::1%2]:1",
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
                            "[fe80::1%]:1",
                            "[fe80::1%eth0/x]:1",
                            "fe80::1%eth0:1",
                            "a%b:1",
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

// One line that begins with what to write instead.
TEST(IsLoopbackTest, SaysFirstWhatToWrite) {
  const struct {
    const char* typed;
    const char* instead;
  } kCases[] = {
      {"https://relay.example.com", "write relay.example.com:443 as the relay"},
      {"https://relay.example.com/", "write relay.example.com:443 as the relay"},
      {"https://relay.example.com:8443/x", "write relay.example.com:8443 as the relay"},
      {"wss://relay.example.com", "write relay.example.com:443 as the relay"},
      {"HTTP://relay.example.com", "write relay.example.com:80 as the relay"},
      {"grpc://[2001:db8::1]", "write [2001:db8::1]:443 as the relay"},
      {"relay.example.com/", "write relay.example.com:443 as the relay"},
      {"relay.example.com:47180/", "write relay.example.com:47180 as the relay"},
      {"[::]:47180", "write localhost:47180, or the address of its machine, as the relay"},
      {"0.0.0.0:5", "write localhost:5, or the address of its machine, as the relay"},
      {"ipv4:0.0.0.0:5", "write localhost:5, or the address of its machine, as the relay"},
      {"[::ffff:0.0.0.0]:5", "write localhost:5, or the address of its machine, as the relay"},
      {"relay.example.com", "write the relay as HOST:PORT, for example relay.example.com:443"},
  };
  for (const auto& one : kCases) {
    const absl::Status status = IsLoopback(one.typed).status();
    EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument) << one.typed;
    EXPECT_TRUE(absl::StartsWith(status.message(), one.instead)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), one.typed)) << status;
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos) << status;
  }
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

// As the C library reads it: whether `address`, HOST:PORT, is localhost or a literal of this
// machine.
bool IsHere(absl::string_view address) {
  std::string host(address.substr(0, address.rfind(':')));
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));  // the zone says by which interface, not where
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return false;
  bool here = false;
  if (found->ai_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(found->ai_addr);
    here = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
  } else if (found->ai_family == AF_INET6) {
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(found->ai_addr)->sin6_addr;
    here = IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
  }
  freeaddrinfo(found);
  return here;
}

bool EveryAddressIsHere(absl::string_view relay) {
  if (absl::StartsWith(relay, "unix:") || absl::StartsWith(relay, "unix-abstract:")) return true;
  for (const char* scheme : {"ipv4:", "ipv6:", "dns:///", "dns:"}) {
    if (absl::ConsumePrefix(&relay, scheme)) break;
  }
  for (const absl::string_view address : absl::StrSplit(relay, ',')) {
    if (!IsHere(address)) return false;
  }
  return true;
}

template <size_t N>
const char* OneOf(const char* const (&choices)[N], std::mt19937& random) {
  return choices[random() % N];
}

std::string RandomRelay(std::mt19937& random) {
  std::string relay =
      OneOf({"", "", "ipv4:", "ipv6:", "dns:", "dns:///", "dns://a/", "unix:"}, random);
  do {
    absl::StrAppend(&relay, relay.empty() || relay.back() == ':' || relay.back() == '/' ? "" : ",",
                    OneOf({"127.0.0.1", "127.9.8.7", "128.0.0.1", "10.0.0.1", "127.1", "[::1]",
                           "[::2]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "localhost",
                           "LocalHost", "localhost.example", "relay.example"},
                          random),
                    OneOf({":1", ":47180", ":65535", ":0", ""}, random));
  } while (random() % 3 == 0);
  return relay;
}

// With a few characters changed, put in or taken out.
void Spoil(std::string& relay, std::mt19937& random) {
  constexpr char kCharacters[] = "0123456789abcdefx:::,,..[]//%-@ \x80";
  for (uint32_t i = random() % 4; i > 0 && !relay.empty(); --i) {
    const size_t at = random() % relay.size();
    const char character = kCharacters[random() % std::size(kCharacters)];
    switch (random() % 3) {
      case 0:
        relay[at] = character;
        break;
      case 1:
        relay.insert(at, 1, character);
        break;
      default:
        relay.erase(at, 1);
    }
  }
}

// Also what somebody makes up on purpose: it must not read as this machine here, and lead gRPC
// elsewhere in plaintext.
TEST(CheckTargetTest, PlaintextByItselfOnlyWhenEveryAddressIsThisMachine) {
  std::mt19937 random(1);
  int plaintext = 0;
  int refused = 0;
  for (int round = 0; round < 50'000 && !testing::Test::HasFailure(); ++round) {
    StreamTarget target{.relay = RandomRelay(random)};
    if (round % 2 == 0) Spoil(target.relay, random);
    if (random() % 2 == 0) target.bearer_token = "t";
    if (random() % 4 == 0) target.security = Security::kPlaintext;
    SCOPED_TRACE(target.relay);
    const auto security = CheckTarget(target);
    if (!security.ok()) {
      ++refused;
      EXPECT_EQ(ReasonOf(security.status()), Reason::kInvalidArgument);
      EXPECT_FALSE(security.status().message().empty());
    } else if (*security == Security::kPlaintext) {
      ++plaintext;
      const bool asked_for = target.security == Security::kPlaintext && target.bearer_token.empty();
      EXPECT_TRUE(asked_for || EveryAddressIsHere(target.relay));
    } else {
      EXPECT_FALSE(*IsLoopback(target.relay));
    }
  }
  EXPECT_GT(plaintext, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace wormhole
