// Why a first connection failed, with real servers of TLS and TCP.
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/credentials.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "client/stream/explainer.h"
#include "client/stream/grpc_transport.h"
#include "client/stream/testing/connect_proxy.h"
#include "client/stream/testing/echo.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "proto/tls/testing/certificates.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

using Credentials = std::shared_ptr<grpc::ServerCredentials>;

Credentials TlsOf(const tls::TestCertificate& own, const std::string& client_authority = "") {
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({own.key, own.certificate});
  if (!client_authority.empty()) {
    options.pem_root_certs = client_authority;
    options.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return grpc::SslServerCredentials(options);
}

// Listens and sends nothing but `greeting`, after which it hangs up.
class RudeServer {
 public:
  explicit RudeServer(std::string greeting) : greeting_(std::move(greeting)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, raw, size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, raw, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { Serve(); });
  }
  ~RudeServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  const std::string& address() const { return address_; }
  int accepted() const { return accepted_; }

 private:
  void Serve() {
    while (true) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      ++accepted_;
      char byte = 0;
      recv(client, &byte, 1, 0);
      send(client, greeting_.data(), greeting_.size(), MSG_NOSIGNAL);
      close(client);
    }
  }

  const std::string greeting_;
  std::atomic<int> accepted_ = 0;
  int listener_ = -1;
  std::string address_;
  std::thread thread_;
};

class GrpcTroubleTest : public testing::Test {
 protected:
  GrpcTroubleTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // failures are what this is about
  }
  ~GrpcTroubleTest() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  // HOST:PORT of a relay with these credentials.
  std::string Serve(const Credentials& credentials, const std::string& host = "127.0.0.1") {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    EXPECT_NE(server_, nullptr);
    return host + ":" + std::to_string(port_);
  }

  absl::Status End(const StreamTarget& target, ProxySettings proxies = {}) {
    GrpcTransport transport(std::move(proxies));
    EXPECT_EQ(transport.Check(target), absl::OkStatus());
    auto recorder = std::make_shared<Recorder>();
    const auto stream = transport.Open(target, recorder);
    AttachRequest close;
    close.mutable_close();
    stream->Send(close);
    return recorder->AwaitEnd();
  }

  void ExpectFinal(const StreamTarget& target, const char* todo, const char* why) {
    Expect(End(target), absl::StatusCode::kFailedPrecondition, todo, why);
  }
  void ExpectPassing(const StreamTarget& target, const char* todo, const char* why) {
    Expect(End(target), absl::StatusCode::kUnavailable, todo, why);
  }
  static void Expect(const absl::Status& status, absl::StatusCode code, const char* todo,
                     const char* why) {
    EXPECT_EQ(ReasonOf(status), Reason::kUnreachable) << status;
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_TRUE(absl::StartsWith(status.message(), todo)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), why)) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "SSL")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "last error")) << status;
    EXPECT_NE(DetailsOf(status), "") << status;
  }

  // Trusts the authority of these tests.
  StreamTarget Trusting(const std::string& relay) const {
    return {.relay = relay, .tls = {.root_certificates = authority_.certificate}};
  }
  tls::TestCertificate Signed(tls::TestCertificateOptions options) const {
    options.signer = &authority_;
    return tls::MakeTestCertificate(options);
  }

  const tls::TestCertificate authority_ = tls::MakeTestCertificate({.names = ""});
  EchoService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(GrpcTroubleTest, AGoodCertificateIsNoTrouble) {
  const absl::Status end = End(Trusting(Serve(TlsOf(Signed({})))));
  EXPECT_TRUE(error::DetailOf(end).has_value()) << end;
}

TEST_F(GrpcTroubleTest, Expired) {
  ExpectFinal(Trusting(Serve(TlsOf(Signed({.valid_from = -7200, .valid_until = -3600})))),
              "set this machine's clock if it is wrong, or have the relay's operator", "expired (");
}

TEST_F(GrpcTroubleTest, NotYetValid) {
  ExpectPassing(Trusting(Serve(TlsOf(Signed({.valid_from = 3600, .valid_until = 7200})))),
                "set this machine's clock if it is wrong, or wait", "not valid yet (");
}

TEST_F(GrpcTroubleTest, SelfSigned) {
  ExpectFinal(Trusting(Serve(TlsOf(tls::MakeTestCertificate({})))),
              "give the certificate of the relay", "self-signed");
}

TEST_F(GrpcTroubleTest, AnAuthorityThatIsUnknown) {
  const tls::TestCertificate other = tls::MakeTestCertificate({.names = ""});
  ExpectFinal(Trusting(Serve(TlsOf(tls::MakeTestCertificate({.signer = &other})))),
              "give the authority of the relay with --tls-ca", "unknown here");
}

TEST_F(GrpcTroubleTest, AnotherName) {
  ExpectFinal(
      Trusting(Serve(TlsOf(Signed({.names = "DNS:relay.example.com,DNS:*.example.org"})))),
      "write the relay by a name that its certificate has (relay.example.com, *.example.org)",
      "for another one");
}

TEST_F(GrpcTroubleTest, AnotherNameOfALocalhost) {
  ExpectFinal(Trusting(Serve(TlsOf(Signed({.names = "IP:127.0.0.1"})), "localhost")),
              "write the relay by a name that its certificate has (127.0.0.1)", "for another one");
}

TEST_F(GrpcTroubleTest, TlsToOneThatSpeaksNone) {
  ExpectFinal(Trusting(Serve(grpc::InsecureServerCredentials())), "use --plaintext",
              "speaks no TLS");
}

TEST_F(GrpcTroubleTest, PlaintextToOneThatSpeaksTls) {
  ExpectFinal({.relay = Serve(TlsOf(Signed({})))}, "leave out --plaintext", "speaks TLS");
}

TEST_F(GrpcTroubleTest, ACertificateThatTheRelayWants) {
  ExpectFinal(Trusting(Serve(TlsOf(Signed({}), authority_.certificate))),
              "give your certificate with --tls-cert", "nobody in without one");
}

TEST_F(GrpcTroubleTest, ACertificateThatTheRelayDoesNotTake) {
  const tls::TestCertificate mine = tls::MakeTestCertificate({});
  StreamTarget target = Trusting(Serve(TlsOf(Signed({}), authority_.certificate)));
  target.tls.certificate_chain = mine.certificate;
  target.tls.private_key = mine.key;
  ExpectFinal(target, "give another certificate with --tls-cert", "does not take this one");
}

TEST_F(GrpcTroubleTest, NobodyListens) {
  const std::string address = Serve(grpc::InsecureServerCredentials());
  server_->Shutdown();
  server_ = nullptr;
  ExpectPassing({.relay = address}, "start a relay there (`wormhole-relay --listen=127.0.0.1:",
                "nobody listens at 127.0.0.1:");
}

TEST_F(GrpcTroubleTest, NoSuchSocket) {
  ExpectPassing({.relay = "unix:/tmp/no_such_socket"},
                "start a relay with --listen=unix:/tmp/no_such_socket", "no such socket");
}

// trouble_test has what name servers answer: no test asks a real one.
TEST_F(GrpcTroubleTest, NameServersThatAreAway) {
  ExpectPassing(Trusting("dns://127.0.0.1:1/relay.example.com:443"),
                "check this machine's network: its name servers", "relay.example.com:443");
}

TEST_F(GrpcTroubleTest, AWebServer) {
  const RudeServer web("HTTP/1.1 400 Bad Request\r\n\r\n");
  ExpectFinal({.relay = web.address()}, "check the address and the port", "is no relay");
}

TEST_F(GrpcTroubleTest, SomebodyHangsUp) {
  const RudeServer mute("");
  ExpectPassing({.relay = mute.address()}, "try again later", "before it said a word");
}

// Receives an explainer's statuses.
class Hearer {
 public:
  Explainer::Done Listen() {
    return [this](const absl::Status& status) {
      sync::MutexLock lock(mutex_);
      EXPECT_EQ(ReasonOf(status), Reason::kUnreachable);
      ++heard_;
      changed_.NotifyAll();
    };
  }
  void Await(int count) {
    sync::MutexLock lock(mutex_);
    while (heard_ < count) changed_.Wait(mutex_);
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  int heard_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

Explainer::Way WayTo(const std::string& relay) {
  return {.scene = {.relay = relay, .route = {.target = relay}}, .security = Security::kPlaintext};
}

TEST_F(GrpcTroubleTest, OfManyAtATimeOneLooks) {
  const RudeServer mute("");
  const auto explainer = std::make_shared<Explainer>(std::make_shared<sync::Threads>());
  Hearer hearer;
  constexpr int kMany = 50;
  for (int i = 0; i < kMany; ++i) {
    explainer->Explain(WayTo(mute.address()), absl::UnavailableError("Socket closed"),
                       hearer.Listen());
  }
  hearer.Await(kMany);
  EXPECT_EQ(mute.accepted(), 2);  // once in plaintext, and once with TLS
}

TEST_F(GrpcTroubleTest, NobodyLooksAtARelayThatHasAnswered) {
  const RudeServer mute("");
  const auto explainer = std::make_shared<Explainer>(std::make_shared<sync::Threads>());
  explainer->NoteAnswer(WayTo(mute.address()));
  Hearer hearer;
  explainer->Explain(WayTo(mute.address()), absl::UnavailableError("Socket closed"),
                     hearer.Listen());
  hearer.Await(1);
  EXPECT_EQ(mute.accepted(), 0);
}

ProxySettings Through(const std::string& address) {
  return {.for_tls = {"https_proxy", "http://" + address}, .for_plaintext = {}, .no_proxy = ""};
}

TEST_F(GrpcTroubleTest, CertificatesAreSeenThroughAProxy) {
  Serve(TlsOf(Signed({.names = "DNS:other.test"})));
  ConnectProxy proxy(port_);
  Expect(End(Trusting("relay.test:443"), Through(proxy.address())),
         absl::StatusCode::kFailedPrecondition,
         "write the relay by a name that its certificate has (other.test)", "relay.test:443");
}

TEST_F(GrpcTroubleTest, WhatAProxySays) {
  const struct {
    const char* answer;
    absl::StatusCode code;
    const char* todo;
    const char* why;
  } kAnswers[] = {
      {"407 Proxy Authentication Required", absl::StatusCode::kFailedPrecondition,
       "set the variable that names the proxy to http://USER:PASSWORD@127.0.0.1:", "nobody"},
      {"403 Forbidden", absl::StatusCode::kFailedPrecondition, "have the proxy's operator",
       "forbids the way to relay.test:443"},
      {"502 Bad Gateway", absl::StatusCode::kUnavailable, "check the relay's address", "(502)"},
  };
  for (const auto& one : kAnswers) {
    ConnectProxy proxy(1, one.answer);
    Expect(End(Trusting("relay.test:443"), Through(proxy.address())), one.code, one.todo, one.why);
  }
}

// The other address needs no proxy, and is the next one's turn.
TEST_F(GrpcTroubleTest, AProxyThatForbidsOneAddressOfTwo) {
  const std::string here = Serve(grpc::InsecureServerCredentials());
  ConnectProxy proxy(port_, "403 Forbidden");
  GrpcTransport transport({.for_plaintext = {"http_proxy", "http://" + proxy.address()}});
  const StreamTarget target{.relay = "ipv4:192.0.2.1:1," + here, .security = Security::kPlaintext};
  bool refused = false;
  bool answered = false;
  while (!refused || !answered) {
    auto recorder = std::make_shared<Recorder>();
    const auto stream = transport.Open(target, recorder);
    AttachRequest close;
    close.mutable_close();
    stream->Send(close);
    const absl::Status end = recorder->AwaitEnd();
    answered = answered || error::DetailOf(end).has_value();
    if (error::DetailOf(end).has_value()) continue;
    refused = true;
    Expect(end, absl::StatusCode::kUnavailable, "have the proxy's operator", "forbids the way");
  }
}

TEST_F(GrpcTroubleTest, AProxyThatIsAway) {
  std::string address;
  { address = ConnectProxy(1).address(); }
  Expect(End(Trusting("relay.test:443"), Through(address)), absl::StatusCode::kUnavailable,
         "check the proxy that the environment names, 127.0.0.1:", "relay.test:443");
}

}  // namespace
}  // namespace wormhole
