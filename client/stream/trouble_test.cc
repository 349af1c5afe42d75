#include "client/stream/trouble.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// How gRPC's message of a failed connection begins.
#define BACKENDS "connections to all backends failing; last error: "

TroubleScene Scene() { return {.relay = "relay.example.com:443"}; }

// As gRPC 1.51 says it.
TEST(ReadTroubleTest, GrpcsWords) {
  const struct {
    const char* words;
    TroubleKind kind;
  } kWords[] = {
      {"DNS resolution failed for relay.example.com:443: C-ares status is not ARES_SUCCESS qtype=A "
       "name=relay.example.com is_balancer=0: Domain name not found",
       TroubleKind::kNoSuchName},
      {"DNS resolution failed for relay.example.com:443: C-ares status is not ARES_SUCCESS qtype=A "
       "name=relay.example.com is_balancer=0: Could not contact DNS servers",
       TroubleKind::kNameServersAway},
      {"connections to all backends failing; last error: UNKNOWN: ipv4:10.0.0.1:443: Failed to "
       "connect to remote host: Connection refused",
       TroubleKind::kRefused},
      {BACKENDS "UNKNOWN: ipv4:10.0.0.1:443: Network is unreachable", TroubleKind::kNoNetwork},
      {BACKENDS "UNKNOWN: ipv4:10.0.0.1:443: No route to host", TroubleKind::kNoNetwork},
      {BACKENDS "UNKNOWN: ipv4:10.0.0.1:443: Cannot allocate memory", TroubleKind::kNoMemory},
      {BACKENDS "INTERNAL: ipv4:10.0.0.1:443: FD Shutdown", TroubleKind::kSilent},
      {BACKENDS "UNKNOWN: unix:/s: No such file or directory", TroubleKind::kNoSocket},
      {BACKENDS "UNKNOWN: unix:/s: Permission denied", TroubleKind::kForbiddenSocket},
  };
  for (const auto& one : kWords) {
    const auto trouble = ReadTrouble(one.words, Scene());
    ASSERT_TRUE(trouble.has_value()) << one.words;
    EXPECT_EQ(trouble->kind, one.kind) << one.words;
  }
  EXPECT_FALSE(ReadTrouble("Socket closed", Scene()).has_value());
  EXPECT_FALSE(ReadTrouble("SSL_ERROR_SSL: error:0A000086", Scene()).has_value());
  EXPECT_FALSE(ReadTrouble("", Scene()).has_value());
  EXPECT_FALSE(ReadTrouble(BACKENDS "HTTP proxy returned response code 407", Scene()).has_value())
      << "there is no proxy: a relay says it";
}

// From an HTTP/2 proxy before a relay that is down: not about the address that gRPC connects to.
TEST(ReadTroubleTest, TheSameWordsFromSomebodyElse) {
  for (const char* words :
       {"upstream connect error or disconnect/reset before headers. reset reason: connection "
        "failure, transport failure reason: delayed connect error: Connection refused",
        "no healthy upstream: Network is unreachable", "Permission denied",
        "x connections to all backends failing; last error: Connection refused"}) {
    EXPECT_FALSE(ReadTrouble(words, Scene()).has_value()) << words;
  }
}

TEST(ReadTroubleTest, AProxysCodeIsThreeDigits) {
  TroubleScene scene = Scene();
  scene.route.proxy = Proxy{.host = "proxy.test", .port = 3128};
  const struct {
    const char* words;
    const char* what;
  } kCases[] = {
      {BACKENDS "UNKNOWN: HTTP proxy returned response code 502", " (502)"},
      {BACKENDS "UNKNOWN: HTTP proxy returned response code 502 {x}", " (502)"},
      {BACKENDS "UNKNOWN: HTTP proxy returned response code 50", ""},
      {BACKENDS "UNKNOWN: HTTP proxy returned response code 5020", ""},
      {BACKENDS "UNKNOWN: HTTP proxy returned response code -12", ""},
      {BACKENDS "UNKNOWN: HTTP proxy returned response code", ""},
  };
  for (const auto& c : kCases) {
    const auto trouble = ReadTrouble(c.words, scene);
    ASSERT_TRUE(trouble.has_value()) << c.words;
    EXPECT_EQ(trouble->kind, TroubleKind::kProxyFailed);
    EXPECT_EQ(trouble->what, c.what) << c.words;
  }
}

TEST(ReadTroubleTest, WithAProxyItIsTheProxyThatIsAway) {
  TroubleScene scene = Scene();
  scene.route.proxy = Proxy{.host = "proxy.test", .port = 3128, .credentials = "user:secret"};
  const auto trouble = ReadTrouble(BACKENDS "UNKNOWN: Connection refused", scene);
  ASSERT_TRUE(trouble.has_value());
  EXPECT_EQ(trouble->kind, TroubleKind::kProxyAway);
  const absl::Status status = TroubleStatus(*trouble, scene, "words");
  EXPECT_TRUE(absl::StrContains(status.message(), "proxy.test:3128")) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), "secret")) << status;
}

// Each kind has a line of its own, which names the relay and begins with what to do.
TEST(TroubleStatusTest, EveryKindHasItsLine) {
  std::string last;
  for (int kind = 0; kind <= static_cast<int>(TroubleKind::kHungUp); ++kind) {
    const Trouble trouble{.kind = static_cast<TroubleKind>(kind)};
    const absl::Status status = TroubleStatus(trouble, Scene(), "the library's words");
    const bool local = trouble.kind == TroubleKind::kNoMemory;
    EXPECT_EQ(ReasonOf(status), local ? Reason::kInternal : Reason::kUnreachable) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "relay.example.com:443")) << status;
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos) << status;
    EXPECT_EQ(status.message().find('$'), absl::string_view::npos) << status;
    EXPECT_NE(status.message(), last) << kind;
    EXPECT_EQ(DetailsOf(status), "the library's words");
    EXPECT_EQ(status.code() != absl::StatusCode::kUnavailable, IsPermanent(trouble.kind));
    last = std::string(status.message());
  }
}

// A permanent trouble with one address is not permanent when there are others.
TEST(TroubleStatusTest, AnotherWayIsHope) {
  TroubleScene one_of_several = Scene();
  one_of_several.only_route = false;
  const Trouble trouble{.kind = TroubleKind::kExpired};
  EXPECT_EQ(TroubleStatus(trouble, Scene(), "x").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TroubleStatus(trouble, one_of_several, "x").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(TroubleStatus({.kind = TroubleKind::kExpired, .others = true}, Scene(), "x").code(),
            absl::StatusCode::kUnavailable);
}

TEST(TroubleStatusTest, OnThisMachineARelayCanBeStarted) {
  const absl::Status status =
      TroubleStatus({.kind = TroubleKind::kRefused}, {.relay = "localhost:47180", .loopback = true},
                    "Connection refused");
  EXPECT_TRUE(absl::StartsWith(status.message(),
                               "start a relay there (`wormhole-relay --listen=localhost:47180`)"))
      << status;
}

TEST(TroubleStatusTest, TimeHelpsSome) {
  EXPECT_FALSE(IsPermanent(TroubleKind::kNotYetValid));
  EXPECT_FALSE(IsPermanent(TroubleKind::kNoSuchName));
  EXPECT_FALSE(IsPermanent(TroubleKind::kHungUp));
  EXPECT_TRUE(IsPermanent(TroubleKind::kExpired));
  EXPECT_TRUE(IsPermanent(TroubleKind::kSpeaksTls));
}

}  // namespace
}  // namespace wormhole
