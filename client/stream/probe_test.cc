// What a probe finds, with servers that use OpenSSL alone. grpc_trouble_test has gRPC's servers.
#include "client/stream/probe.h"

#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "client/stream/probe_socket.h"
#include "client/stream/tls_probe.h"
#include "gtest/gtest.h"
#include "proto/tls/openssl_handles.h"
#include "proto/tls/testing/certificates.h"

namespace wormhole {
namespace {

// A port of 127.0.0.1, where nobody listens unless Listen is called.
class Port {
 public:
  Port() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    EXPECT_EQ(bind(fd_, raw(), size), 0);
    EXPECT_EQ(getsockname(fd_, raw(), &size), 0);
  }
  ~Port() { close(fd_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  void Listen() { EXPECT_EQ(listen(fd_, 8), 0); }
  int Accept() { return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }
  void Shutdown() { shutdown(fd_, SHUT_RDWR); }
  std::string text() const { return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }
  SocketAddress address() const {
    SocketAddress address;
    *reinterpret_cast<sockaddr_in*>(&address.storage) = address_;
    address.size = sizeof(address_);
    return address;
  }

 private:
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&address_); }

  sockaddr_in address_ = {};
  const int fd_;
};

// Takes handshakes, one at a time, reads a little, and hangs up.
class TlsEnd {
 public:
  enum class Certificate { kNotAsked, kAsked, kRequired };

  TlsEnd(Certificate certificate, int version) {
    signal(SIGPIPE, SIG_IGN);  // in the product a probe's thread takes no signals
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_max_proto_version(context_.get(), version);
    const tls::Bio chain(
        BIO_new_mem_buf(own_.certificate.data(), static_cast<int>(own_.certificate.size())));
    const tls::Certificate own(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_certificate(context_.get(), own.get());
    const tls::Bio pem(BIO_new_mem_buf(own_.key.data(), static_cast<int>(own_.key.size())));
    const tls::Key key(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    int mode = SSL_VERIFY_NONE;
    if (certificate != Certificate::kNotAsked) mode = SSL_VERIFY_PEER;
    if (certificate == Certificate::kRequired) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context_.get(), mode, nullptr);
    SSL_CTX_set_alpn_select_cb(context_.get(), &TakeH2, nullptr);
    port_.Listen();
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsEnd() {
    port_.Shutdown();
    thread_.join();
  }

  const Port& port() const { return port_; }
  Tls trust() const { return {.root_certificates = own_.certificate}; }

  TlsFinding Probed() const {
    ProbeSocket socket(std::chrono::steady_clock::now() + std::chrono::seconds(30));
    EXPECT_TRUE(socket.Connect(port_.address()));
    return ProbeTls(socket, trust(), "127.0.0.1");
  }

 private:
  static int TakeH2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*,
                    unsigned int, void*) {
    static constexpr unsigned char kH2[] = {'h', '2'};
    *out = kH2;
    *size = sizeof(kH2);
    return SSL_TLSEXT_ERR_OK;
  }

  void Serve() {
    while (true) {
      const int client = port_.Accept();
      if (client < 0) return;
      const tls::Ssl ssl(SSL_new(context_.get()));
      SSL_set_fd(ssl.get(), client);
      char buffer[64];
      if (SSL_accept(ssl.get()) == 1) SSL_read(ssl.get(), buffer, sizeof(buffer));
      shutdown(client, SHUT_WR);
      while (recv(client, buffer, sizeof(buffer), 0) > 0) {
      }
      close(client);
    }
  }

  const tls::TestCertificate own_ = tls::MakeTestCertificate({});
  tls::SslContext context_;
  Port port_;
  std::thread thread_;
};

constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

// The server may have ended, or be busy: it has accepted us as we are.
TEST(TlsProbeTest, WhoHangsUpLaterDoesNotMeanTheCertificate) {
  for (const int version : kVersions) {
    for (const auto asks : {TlsEnd::Certificate::kNotAsked, TlsEnd::Certificate::kAsked}) {
      const TlsEnd end(asks, version);
      const TlsFinding finding = end.Probed();
      ASSERT_TRUE(finding.trouble.has_value());
      EXPECT_EQ(finding.trouble->kind, TroubleKind::kHungUp) << version;
      EXPECT_TRUE(finding.sure);
    }
  }
}

TEST(TlsProbeTest, AnAlertSaysThatItWantsOne) {
  for (const int version : kVersions) {
    const TlsEnd end(TlsEnd::Certificate::kRequired, version);
    const TlsFinding finding = end.Probed();
    ASSERT_TRUE(finding.trouble.has_value());
    EXPECT_EQ(finding.trouble->kind, TroubleKind::kWantsCertificate) << version;
    EXPECT_TRUE(finding.sure);
  }
}

// Waiting does not help with the address that answers, but the other one may answer later.
TEST(ProbeTest, AnAddressThatDoesNotAnswerIsHope) {
  const TlsEnd end(TlsEnd::Certificate::kNotAsked, TLS1_3_VERSION);
  const Port closed;
  ProbeTarget target{.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30)};
  target.tls.root_certificates = tls::MakeTestCertificate({}).certificate;  // another one
  for (const bool several : {false, true}) {
    target.scene.relay = "ipv4:" + end.port().text() + (several ? "," + closed.text() : "");
    target.scene.route.target = target.scene.relay;
    for (const bool loopback : {false, true}) {
      target.scene.loopback = loopback;
      const auto trouble = Probe(target);
      ASSERT_TRUE(trouble.has_value());
      EXPECT_EQ(trouble->kind, TroubleKind::kSelfSigned);
      EXPECT_EQ(trouble->others, several && !loopback);
    }
  }
}

TEST(ProbeSocketTest, NobodyWaitsForANameLongerThanTheDeadline) {
  const auto threads = std::make_shared<sync::Threads>();
  const Route route{.target = "localhost:1"};
  const auto now = std::chrono::steady_clock::now();
  EXPECT_FALSE(AddressesOf(route, "localhost:1", now + std::chrono::seconds(30), *threads).empty());
  EXPECT_TRUE(AddressesOf(route, "localhost:1", now - std::chrono::seconds(1), *threads).empty());
}

// When gRPC is to ask another name server, the system may know the name otherwise, or not at all.
TEST(ProbeSocketTest, NamesOfAnotherServerAreNotLookedAt) {
  const auto threads = std::make_shared<sync::Threads>();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const std::string relay = "dns://192.0.2.1/localhost:1";
  EXPECT_TRUE(AddressesOf({.target = relay}, relay, deadline, *threads).empty());
}

// In gRPC's form: one address of a list, of which only some addresses have a proxy.
TEST(ProbeSocketTest, AnEscapedTargetIsTheAddressThatIsLookedAt) {
  const auto threads = std::make_shared<sync::Threads>();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto addresses = AddressesOf({.target = "ipv6:%5B::1%5D:2"}, "ipv6:[2001:db8::1]:1,[::1]:2",
                                     deadline, *threads);
  ASSERT_EQ(addresses.size(), 1u);
  const auto* address = reinterpret_cast<const sockaddr_in6*>(&addresses[0].storage);
  EXPECT_TRUE(IN6_IS_ADDR_LOOPBACK(&address->sin6_addr));
  EXPECT_EQ(ntohs(address->sin6_port), 2);
}

TEST(ProbeSocketTest, AnAddressWithoutARouteIsNoHope) {
  ProbeSocket socket(std::chrono::steady_clock::now() + std::chrono::seconds(30));
  SocketAddress multicast;  // no TCP goes there
  auto* raw = reinterpret_cast<sockaddr_in*>(&multicast.storage);
  raw->sin_family = AF_INET;
  raw->sin_port = htons(1);
  raw->sin_addr.s_addr = htonl(0xE0000001);
  multicast.size = sizeof(*raw);
  EXPECT_FALSE(socket.Connect(multicast));
  EXPECT_TRUE(socket.no_route());
}

// A probe may go on in another thread while the process ends.
TEST(ExitTest, OpensslIsThereToTheEnd) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        OPENSSL_init_ssl(0, nullptr);  // as every user of OpenSSL does
        OPENSSL_atexit([] { _exit(7); });
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace wormhole
