// Every way in which Create can fail before anything is sent. What can go wrong with the first
// connection after that is the table of client/stream/trouble.cc, which
// client/stream/grpc_trouble_test.cc goes through with real servers.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "client/client_access.h"
#include "client/stream/grpc_transport.h"
#include "gtest/gtest.h"
#include "proto/tls/testing/certificates.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

struct Trial {
  Options options;
  ProxySettings proxies;
  std::string data = "a";
  std::string code = "4-abandon-ability";
};

struct Failure {
  const char* what;
  std::function<void(Trial&)> spoil;
  const char* says;
  bool receiver_only = false;
};

Tls TlsOf(const tls::TestCertificate& own) {
  return {.root_certificates = own.certificate,
          .certificate_chain = own.certificate,
          .private_key = own.key};
}

void ProxyOf(Trial& s, const std::string& value) { s.proxies.for_tls = {"https_proxy", value}; }

// All are INVALID_ARGUMENT: what was given cannot work.
const std::vector<Failure>& Failures() {
  static const auto* const failures = new std::vector<Failure>{
      {"no app-id", [](Trial& s) { s.options.app_id = ""; }, "app-id"},
      {"data that does not fit", [](Trial& s) { s.data.resize(65'001); }, "send at most 65000"},
      {"a code that is none", [](Trial& s) { s.code = "purple"; }, "", true},
      {"no timeout", [](Trial& s) { s.options.timeout = absl::ZeroDuration(); }, "the timeout is"},
      {"a ttl below the timeout", [](Trial& s) { s.options.ttl = absl::Seconds(1); }, "ttl"},
      {"no schedule", [](Trial& s) { s.options.schedule = {}; }, "schedule"},
      {"no port", [](Trial& s) { s.options.rendezvous = "relay.example.com"; },
       "write the relay as HOST:PORT"},
      {"a URL", [](Trial& s) { s.options.rendezvous = "wss://relay.example.com/x"; },
       "write relay.example.com:443 as the relay"},
      {"an address to listen on", [](Trial& s) { s.options.rendezvous = "[::]:47180"; },
       "write localhost:47180"},
      {"an interface that is none", [](Trial& s) { s.options.rendezvous = "[fe80::1%no0]:1"; },
       "name an interface of this machine"},
      {"a token in the clear",
       [](Trial& s) {
         s.options.security = Security::kPlaintext;
         s.options.bearer_token = "secret";
       },
       "use TLS"},
      {"a token of two lines", [](Trial& s) { s.options.bearer_token = "a\nb"; }, "line ends"},
      {"TLS and plaintext",
       [](Trial& s) {
         s.options.tls = TlsOf(tls::MakeTestCertificate({}));
         s.options.security = Security::kPlaintext;
       },
       "drop one of them"},
      {"a certificate without its key",
       [](Trial& s) {
         s.options.tls = TlsOf(tls::MakeTestCertificate({}));
         s.options.tls.private_key.clear();
       },
       "give both or neither"},
      {"roots that are no certificates",
       [](Trial& s) {
         s.options.tls.root_certificates =
             "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
       },
       "Tls::root_certificates holds a block"},
      {"a key that is cut",
       [](Trial& s) {
         s.options.tls = TlsOf(tls::MakeTestCertificate({}));
         s.options.tls.private_key.resize(60);
       },
       "Tls::private_key holds a private key that cannot be read"},
      {"another certificate's key",
       [](Trial& s) {
         s.options.tls = TlsOf(tls::MakeTestCertificate({}));
         s.options.tls.private_key = tls::MakeTestCertificate({}).key;
       },
       "Tls::private_key is not the key of the certificate"},
      {"a proxy of another kind", [](Trial& s) { ProxyOf(s, "socks5://p:1"); }, "set $https_proxy"},
      {"a proxy without a host", [](Trial& s) { ProxyOf(s, "http://u:secret@"); },
       "set $https_proxy"},
  };
  return *failures;
}

Trial Good(ProxySettings proxies = {}) {
  Trial setup;
  setup.options.app_id = "example.com/app";
  setup.options.rendezvous = "relay.example.com:443";
  setup.options.tls.root_certificates = tls::MakeTestCertificate({}).certificate;
  setup.proxies = std::move(proxies);
  return setup;
}

absl::Status Create(Trial setup, bool initiator) {
  auto client = ClientAccess::WithTransport(std::make_shared<GrpcTransport>(setup.proxies));
  if (!client.ok()) return client.status();
  setup.options.client = *client;
  if (initiator) return Initiator::Create(setup.options, setup.data).status();
  return Receiver::Create(setup.options, setup.code, setup.data).status();
}

TEST(FirstFailuresTest, WhatIsGivenAndCannotWork) {
  for (const Failure& failure : Failures()) {
    for (const bool initiator : {true, false}) {
      if (initiator && failure.receiver_only) continue;
      Trial setup = Good();
      if (absl::StrContains(failure.what, "TLS") || absl::StrContains(failure.what, "token")) {
        setup.options.tls = {};
      }
      failure.spoil(setup);
      const absl::Status status = Create(setup, initiator);
      EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument) << failure.what << ": " << status;
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << failure.what;
      EXPECT_TRUE(absl::StrContains(status.message(), failure.says))
          << failure.what << ": " << status;
      EXPECT_FALSE(absl::StrContains(status.message(), "secret")) << status;
    }
  }
}

// A proxy of today's environment, and a state of yesterday's.
TEST(FirstFailuresTest, ARestoredExchangeIsLookedAtToo) {
  Trial trial = Good();
  trial.options.tls = {};
  trial.options.rendezvous = "unix:/no/such/socket";
  auto first = ClientAccess::WithTransport(std::make_shared<GrpcTransport>(ProxySettings()));
  ASSERT_TRUE(first.ok());
  trial.options.client = *first;
  auto initiator = Initiator::Create(trial.options, "a");
  ASSERT_TRUE(initiator.ok()) << initiator.status();
  const std::string state = *initiator->Serialize();
  ProxyOf(trial, "socks5://p:1");
  auto second = ClientAccess::WithTransport(std::make_shared<GrpcTransport>(trial.proxies));
  ASSERT_TRUE(second.ok());
  trial.options.client = *second;
  trial.options.rendezvous = "relay.example.com:443";
  const absl::Status status = Initiator::FromSerialized(state, trial.options).status();
  EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "set $https_proxy")) << status;
}

// What the system keeps back, a fault of this machine: no authorities (client/stream/pem_test.cc),
// and no threads.
TEST(FirstFailuresDeathTest, ThreadsThatTheSystemRefuses) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto create = [] {
    const Trial setup = Good();
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    // Room for two or three stacks of eight megabytes.
    const rlim_t bytes = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (rlim_t{60} << 20);
    const rlimit limit = {bytes, bytes};
    setrlimit(RLIMIT_AS, &limit);
    const absl::Status status = Create(setup, true);
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    _exit(ReasonOf(status) == Reason::kInternal &&
                  status.code() == absl::StatusCode::kResourceExhausted
              ? 0
              : 1);
  };
  EXPECT_EXIT(create(), ::testing::ExitedWithCode(0), "raise the limit on threads or memory");
}

}  // namespace
}  // namespace wormhole::testing
