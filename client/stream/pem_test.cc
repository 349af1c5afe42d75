#include "client/stream/pem.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "client/core/outcome.h"
#include "client/stream/authorities.h"
#include "gtest/gtest.h"

namespace wormhole {
namespace {

std::string PathOf(const std::string& name) { return "tests/service/tls/" + name; }

std::string ContentOf(const std::string& name) {
  std::ifstream file(PathOf(name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// `key` under a password.
std::string Locked(const std::string& key) {
  BIO* in = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
  EVP_PKEY* pkey = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO* out = BIO_new(BIO_s_mem());
  char password[] = "password";
  EXPECT_EQ(
      PEM_write_bio_PKCS8PrivateKey(out, pkey, EVP_aes_128_cbc(), password, 8, nullptr, nullptr),
      1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string locked(data, static_cast<size_t>(size));
  BIO_free(in);
  BIO_free(out);
  EVP_PKEY_free(pkey);
  return locked;
}

void ExpectRefused(const absl::Status& status, const char* what) {
  EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), what)) << status;
}

TEST(PemTest, WhatIsSoundIsTaken) {
  EXPECT_TRUE(CheckCertificates(ContentOf("ca.pem")).ok());
  EXPECT_TRUE(
      CheckCertificates("a comment\n" + ContentOf("ca.pem") + ContentOf("other_ca.pem")).ok());
  EXPECT_TRUE(CheckPrivateKey(ContentOf("client.key")).ok());
  EXPECT_TRUE(
      CheckKeyFits(ContentOf("client.pem") + ContentOf("ca.pem"), ContentOf("client.key")).ok());
  EXPECT_TRUE(CheckPems({}).ok());
  EXPECT_TRUE(CheckPems({.root_certificates = ContentOf("ca.pem"),
                         .certificate_chain = ContentOf("client.pem"),
                         .private_key = ContentOf("client.key")})
                  .ok());
}

TEST(PemTest, CertificatesThatAreNone) {
  const std::string good = ContentOf("ca.pem");
  ExpectRefused(CheckCertificates(""), "holds no certificate");
  ExpectRefused(CheckCertificates(ContentOf("client.key")), "holds no certificate");
  ExpectRefused(CheckCertificates("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"),
                "number 1");
  ExpectRefused(CheckCertificates(good.substr(0, good.size() / 2)), "number 1");
  ExpectRefused(CheckCertificates(good + good.substr(0, good.size() / 2)), "number 2");
  // The first without its end, which a reader would look for in the second.
  ExpectRefused(CheckCertificates(good.substr(0, good.size() / 2) + "\n" + good), "number 1");
}

TEST(PemTest, KeysThatAreNone) {
  const std::string good = ContentOf("client.key");
  ExpectRefused(CheckPrivateKey(ContentOf("client.pem")), "holds no private key");
  ExpectRefused(CheckPrivateKey(good.substr(0, good.size() / 2)), "cut or damaged");
  ExpectRefused(CheckPrivateKey(Locked(good)), "a key with a password");
  ExpectRefused(CheckKeyFits(ContentOf("client.pem"), ContentOf("relay.key")), "is not the key of");
}

TEST(PemTest, TheLibrarySaysWhichMember) {
  ExpectRefused(CheckPems({.root_certificates = ContentOf("client.key")}),
                "Tls::root_certificates holds no certificate");
  ExpectRefused(CheckPems({.certificate_chain = ContentOf("client.pem"),
                           .private_key = Locked(ContentOf("client.key"))}),
                "Tls::private_key holds a key with a password");
  ExpectRefused(CheckPems({.certificate_chain = ContentOf("client.key"),
                           .private_key = ContentOf("client.key")}),
                "Tls::certificate_chain holds no certificate");
  ExpectRefused(CheckPems({.certificate_chain = ContentOf("client.pem"),
                           .private_key = ContentOf("relay.key")}),
                "Tls::private_key is not the key");
}

TEST(AuthoritiesTest, OneIsEnough) {
  EXPECT_TRUE(CheckAuthorities({.files = {"/nonexistent", PathOf("ca.pem")}}).ok());
  EXPECT_TRUE(CheckAuthorities({.folders = {"/nonexistent", "tests/service/tls"}}).ok());
}

// A slim container.
TEST(AuthoritiesTest, NoneIsAFaultOfThisMachine) {
  const std::string empty = testing::TempDir() + "/no_authorities";
  mkdir(empty.c_str(), 0700);
  std::ofstream(empty + "/empty.pem") << "";
  std::ofstream(empty + "/half.pem") << "-----BEGIN CERTIFICATE-----\nMA==\n";
  const absl::Status status =
      CheckAuthorities({.files = {"/nonexistent", empty + "/empty.pem"}, .folders = {empty}});
  EXPECT_EQ(ReasonOf(status), Reason::kInternal);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StartsWith(status.message(), "install the package ca-certificates")) << status;
}

TEST(AuthoritiesTest, TheEnvironmentComesFirst) {
  const std::map<std::string, std::string> environment = {
      {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "/my/roots.pem"}, {"GRPC_SYSTEM_SSL_ROOTS_DIR", "/my"}};
  const AuthorityPlaces places = AuthorityPlaces::From([&environment](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
  EXPECT_EQ(places.files.front(), "/my/roots.pem");
  EXPECT_EQ(places.folders.front(), "/my");
  EXPECT_GT(places.files.size(), 2u);
}

}  // namespace
}  // namespace wormhole
