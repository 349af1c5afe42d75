// What Create refuses, before anything is sent.
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "client/stream/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/in_process_relay.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

class OptionsTest : public ::testing::Test {
 protected:
  Options NewOptions() { return InProcessRelay::OptionsFor(client_); }

  void ExpectRefused(const char* what, const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what << ": " << status;
    EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument) << what;
    EXPECT_GT(status.message().size(), 20u) << what;
    EXPECT_EQ(relay_.transport().opened(), 0u) << what;
  }

  InProcessRelay relay_;
  std::shared_ptr<Client> client_ = relay_.MakeClient();
};

struct BadOptions {
  const char* what;
  std::function<void(Options&)> spoil;
};

const BadOptions kBadOptions[] = {
    {"no app-id", [](Options& o) { o.app_id = ""; }},
    {"long app-id", [](Options& o) { o.app_id = std::string(256, 'a'); }},
    {"control character", [](Options& o) { o.app_id = "a\n"; }},
    {"not UTF-8", [](Options& o) { o.app_id = "\xff"; }},
    {"no port", [](Options& o) { o.rendezvous = "relay.example.com"; }},
    {"URL", [](Options& o) { o.rendezvous = "https://relay.example.com:443"; }},
    {"empty schedule", [](Options& o) { o.schedule = {}; }},
    {"unsorted schedule",
     [](Options& o) {
       o.schedule = {{absl::ZeroDuration(), absl::Seconds(1)},
                     {absl::Seconds(9), absl::Seconds(1)},
                     {absl::Seconds(5), absl::Seconds(1)}};
     }},
    {"endless interval",
     [](Options& o) {
       o.schedule = {{absl::ZeroDuration(), absl::InfiniteDuration()}};
     }},
    {"no timeout", [](Options& o) { o.timeout = absl::ZeroDuration(); }},
    {"negative timeout", [](Options& o) { o.timeout = -absl::Seconds(1); }},
    {"timeout of 8 days", [](Options& o) { o.timeout = absl::Hours(8 * 24); }},
    {"endless timeout", [](Options& o) { o.timeout = absl::InfiniteDuration(); }},
    {"short ttl", [](Options& o) { o.ttl = o.timeout - absl::Seconds(1); }},
    {"token in the clear",
     [](Options& o) {
       o.rendezvous = "relay.example.com:443";
       o.security = Security::kPlaintext;
       o.bearer_token = "secret";
     }},
    {"token with a line end", [](Options& o) { o.bearer_token = "secret\n"; }},
    {"certificate without key",
     [](Options& o) { o.tls.certificate_chain = "-----BEGIN CERTIFICATE-----"; }},
    {"roots that are a file name", [](Options& o) { o.tls.root_certificates = "/etc/ssl/ca.pem"; }},
};

TEST_F(OptionsTest, BadOnesAreRefusedInBothRoles) {
  for (const BadOptions& bad : kBadOptions) {
    Options options = NewOptions();
    bad.spoil(options);
    ExpectRefused(bad.what, Initiator::Create(options, "a").status());
    ExpectRefused(bad.what, Receiver::Create(options, "4-abandon-ability", "a").status());
  }
}

TEST_F(OptionsTest, TheInitiatorsOwn) {
  for (const size_t words : {size_t{0}, size_t{1}, size_t{9}, ~size_t{0}}) {
    Options options = NewOptions();
    options.words = words;
    ExpectRefused("words", Initiator::Create(options, "a").status());
  }
  Options options = NewOptions();
  options.code = "no code";
  ExpectRefused("code", Initiator::Create(options, "a").status());
}

TEST_F(OptionsTest, BadCodesAreRefused) {
  for (const char* code :
       {"", "4", "4-", "4-purple", "purple-sausages", "0-abandon-ability", "4-abandon-nosuchword",
        "1234567890-abandon-ability", "4-abandon\"ability", "4-\xc3\xa4pfel-ability"}) {
    ExpectRefused(code, Receiver::Create(NewOptions(), code, "a").status());
  }
}

TEST_F(OptionsTest, DataHasALimit) {
  ExpectRefused("data", Initiator::Create(NewOptions(), std::string(65'001, 'x')).status());
  ExpectRefused(
      "data",
      Receiver::Create(NewOptions(), "4-abandon-ability", std::string(65'001, 'x')).status());
}

TEST_F(OptionsTest, ThreadsHaveARange) {
  for (const int threads : {-1, 0, 65}) {
    EXPECT_EQ(Client::Create({.threads = threads}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(Client::Create({.threads = 64}).ok());
}

// The option, else the environment, else what was baked in.
TEST_F(OptionsTest, TheRelayIsFound) {
  Options options = NewOptions();
  const auto leads_to = [](const std::string& relay) {
    return ::testing::HasSubstr("\"relay\":\"" + relay + "\"");
  };
  const auto state = [&options] { return Initiator::Create(options, "a")->Serialize().value(); };
  options.rendezvous.clear();
  ASSERT_EQ(unsetenv("WORMHOLE_RENDEZVOUS"), 0);
  EXPECT_THAT(state(), leads_to("localhost:47180"));
  ASSERT_EQ(setenv("WORMHOLE_RENDEZVOUS", "relay.example.com:443", 1), 0);
  EXPECT_THAT(state(), leads_to("relay.example.com:443"));
  options.rendezvous = "other.example.com:443";
  EXPECT_THAT(state(), leads_to("other.example.com:443"));
  options.rendezvous.clear();
  ASSERT_EQ(setenv("WORMHOLE_RENDEZVOUS", " relay.example.com:443\r\n", 1), 0);
  EXPECT_THAT(state(), leads_to("relay.example.com:443"));
  for (const char* blank : {"", "\n"}) {
    ASSERT_EQ(setenv("WORMHOLE_RENDEZVOUS", blank, 1), 0);
    EXPECT_THAT(state(), leads_to("localhost:47180"));
  }
  ASSERT_EQ(unsetenv("WORMHOLE_RENDEZVOUS"), 0);
}

// A state that was written by somebody else must not lead a token astray.
TEST_F(OptionsTest, ARestoredRelayIsCheckedToo) {
  Options options = NewOptions();
  options.rendezvous = "relay.example.com:443";
  options.security = Security::kPlaintext;
  const std::string state = Initiator::Create(options, "a")->Serialize().value();
  options.rendezvous.clear();
  options.bearer_token = "secret";
  EXPECT_EQ(Initiator::FromSerialized(state, options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options.security = Security::kAuto;
  EXPECT_TRUE(Initiator::FromSerialized(state, options).ok());
}

TEST_F(OptionsTest, TheCommonClientServesThoseThatHaveNone) {
  Options options = NewOptions();
  options.client = nullptr;
  options.timeout = absl::Milliseconds(50);
  auto one = Initiator::Create(options, "a");
  auto two = Initiator::Create(options, "a");
  ASSERT_TRUE(one.ok());
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(ReasonOf(one->GetData().status()), Reason::kUnreachable);
  EXPECT_EQ(ReasonOf(two->GetData().status()), Reason::kUnreachable);
}

}  // namespace
}  // namespace wormhole::testing
