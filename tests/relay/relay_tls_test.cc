// TLS at the relay: who is let in, and certificates that change under a running relay.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "relay/server/server.h"
#include "relay/store/memory/memory_store.h"
#include "tests/support/temp_folder.h"

namespace wormhole::service_test {
namespace {

using relay::RelayConfig;
using relay::RelayServer;

constexpr char kFolder[] = "tests/support/tls/";

std::string Read(const std::string& name) {
  std::ifstream file(kFolder + name);
  EXPECT_TRUE(file) << name;
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

// As certificates are renewed: a new file takes the old one's name.
void Replace(const std::string& path, const std::string& content) {
  std::ofstream(path + ".new") << content;
  ASSERT_EQ(std::rename((path + ".new").c_str(), path.c_str()), 0);
}

// As Kubernetes mounts a secret: each file is a link to ..data/FILE, and ..data is a link to a
// folder, which is swapped in one step for one with the new files. The old one is then removed.
class SecretVolume {
 public:
  explicit SecretVolume(const std::string& files) {
    Write(files);
    for (const char* file : {"tls.crt", "tls.key"}) {
      std::filesystem::create_symlink(std::string("..data/") + file, folder_.File(file));
    }
  }

  // tests/support/tls/FILES.pem and .key.
  void Write(const std::string& files) {
    const std::string name = "..version" + std::to_string(++version_);
    std::filesystem::create_directory(folder_.File(name));
    std::ofstream(folder_.File(name + "/tls.crt")) << Read(files + ".pem");
    std::ofstream(folder_.File(name + "/tls.key")) << Read(files + ".key");
    std::filesystem::create_directory_symlink(name, folder_.File("..data_tmp"));
    std::filesystem::rename(folder_.File("..data_tmp"), folder_.File("..data"));
    std::filesystem::remove_all(folder_.File("..version" + std::to_string(version_ - 1)));
  }

  std::string cert() const { return folder_.File("tls.crt"); }
  std::string key() const { return folder_.File("tls.key"); }

 private:
  const testing::TempFolder folder_;
  int version_ = 0;
};

class RelayTlsTest : public ::testing::Test {
 protected:
  RelayTlsTest() {
    config_.listen = "127.0.0.1:0";
    config_.admin_listen = "";
    config_.max_connections_per_minute = 0;  // it connects until something has happened
    config_.tls.cert = ::testing::TempDir() + "/cert.pem";
    config_.tls.key = ::testing::TempDir() + "/key.pem";
    Install("relay");
    // It writes a line for each of the handshakes that are meant to fail.
    gpr_set_log_function([](gpr_log_func_args*) {});
  }

  void Install(const std::string& name) {
    Replace(config_.tls.key, Read(name + ".key"));
    Replace(config_.tls.cert, Read(name + ".pem"));
  }

  void Serve() {
    auto server = RelayServer::Start(
        config_, [this] { return &store_; }, &clock_, &monitor_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->Serve();
  }

  // Whether a client that trusts `ca` and shows `cert` is served.
  bool Served(const std::string& ca, const std::string& cert = "") {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = Read(ca + ".pem");
    if (!cert.empty()) {
      options.pem_cert_chain = Read(cert + ".pem");
      options.pem_private_key = Read(cert + ".key");
    }
    return Answers(grpc::SslCredentials(options));
  }

  void AwaitServed(const std::string& ca) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!Served(ca) && std::chrono::steady_clock::now() < deadline) {
    }
    EXPECT_TRUE(Served(ca)) << ca;
  }

  bool Answers(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("relay.test");
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub = grpc::health::v1::Health::NewStub(
        grpc::CreateCustomChannel(server_->address(), credentials, arguments));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    grpc::health::v1::HealthCheckResponse response;
    return stub->Check(&context, grpc::health::v1::HealthCheckRequest(), &response).ok();
  }

  RelayConfig config_;
  relay::RelayClock clock_;
  relay::Monitor monitor_{config_};
  relay::MemoryStore store_;
  std::unique_ptr<RelayServer> server_;
};

TEST_F(RelayTlsTest, ServesThoseWhoTrustIt) {
  Serve();
  EXPECT_TRUE(Served("ca"));
  EXPECT_FALSE(Served("other_ca"));
  EXPECT_FALSE(Answers(grpc::InsecureChannelCredentials()));
}

TEST_F(RelayTlsTest, WithAClientCaServesOnlyThoseItKnows) {
  config_.tls.client_ca = std::string(kFolder) + "ca.pem";
  Serve();
  EXPECT_TRUE(Served("ca", "client"));
  EXPECT_FALSE(Served("ca"));
  EXPECT_FALSE(Served("ca", "renewed_relay"));
}

TEST_F(RelayTlsTest, TakesARenewedCertificateWithoutARestart) {
  Serve();
  EXPECT_TRUE(Served("ca"));
  Install("renewed_relay");
  AwaitServed("other_ca");
  EXPECT_FALSE(Served("ca"));
}

TEST_F(RelayTlsTest, TakesASecretThatKubernetesHasSwapped) {
  SecretVolume secret("relay");
  config_.tls.cert = secret.cert();
  config_.tls.key = secret.key();
  Serve();
  EXPECT_TRUE(Served("ca"));
  for (const char* next : {"renewed_relay", "relay"}) {
    secret.Write(next);
    const bool renewed = std::string(next) == "renewed_relay";
    const auto begin = std::chrono::steady_clock::now();
    AwaitServed(renewed ? "other_ca" : "ca");
    EXPECT_FALSE(Served(renewed ? "ca" : "other_ca"));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << "serves with the new certificate after " << took.count() << " s\n";
  }
}

TEST_F(RelayTlsTest, KeepsWhatItHasWhenTheNewOneIsBroken) {
  Serve();
  Replace(config_.tls.cert, "not a certificate");
  EXPECT_TRUE(Served("ca"));
}

TEST_F(RelayTlsTest, FilesMayEndTheirLinesAsWindowsDoes) {
  const auto rewrite = [](const std::string& path, const std::string& text) {
    std::string lines;
    for (char c : text) lines += c == '\n' ? "\r\n" : std::string(1, c);
    Replace(path, lines);
  };
  rewrite(config_.tls.key, Read("relay.key"));
  rewrite(config_.tls.cert, Read("relay.pem"));
  Serve();
  EXPECT_TRUE(Served("ca"));
}

TEST_F(RelayTlsTest, FilesThatAreNoneOfTheirKindAreRefused) {
  const std::string broken = ::testing::TempDir() + "/broken.pem";
  Replace(broken, "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
  const struct {
    std::string cert, key, client_ca, says;
  } kCases[] = {
      {"/nowhere", config_.tls.key, "", "--tls-cert=/nowhere: cannot be read"},
      {config_.tls.cert, "/nowhere", "", "--tls-key=/nowhere: cannot be read"},
      {config_.tls.key, config_.tls.key, "", "holds no certificate"},
      {config_.tls.cert, config_.tls.cert, "", "holds no private key"},
      {std::string(kFolder) + "renewed_relay.pem", config_.tls.key, "", "is not the key of"},
      {broken, config_.tls.key, "", "number 1, that says CERTIFICATE and is none"},
      {config_.tls.cert, config_.tls.key, "/", "--tls-client-ca=/: is a folder"},
      {config_.tls.cert, config_.tls.key, broken, "number 1, that says CERTIFICATE and is none"},
  };
  for (const auto& c : kCases) {
    config_.tls = {c.cert, c.key, c.client_ca};
    const auto refused = RelayServer::Start(
        config_, [this] { return &store_; }, &clock_, &monitor_);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(std::string(refused.status().message()).find(c.says), std::string::npos)
        << refused.status();
  }
}

}  // namespace
}  // namespace wormhole::service_test
