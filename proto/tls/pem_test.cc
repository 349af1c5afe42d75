#include "proto/tls/pem.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::tls {
namespace {

std::string ContentOf(const std::string& name) {
  std::ifstream file("tests/support/tls/" + name, std::ios::binary);
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
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(what));
}

TEST(PemTest, WhatIsSoundIsTaken) {
  EXPECT_TRUE(CheckCertificates(ContentOf("ca.pem")).ok());
  EXPECT_TRUE(
      CheckCertificates("a comment\n" + ContentOf("ca.pem") + ContentOf("other_ca.pem")).ok());
  EXPECT_TRUE(CheckPrivateKey(ContentOf("client.key")).ok());
  EXPECT_TRUE(
      CheckKeyFits(ContentOf("client.pem") + ContentOf("ca.pem"), ContentOf("client.key")).ok());
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

TEST(PemTest, WhenACertificateEnds) {
  // As `openssl x509 -enddate` says.
  const absl::StatusOr<absl::Time> end = EndOfCertificate(ContentOf("relay.pem"));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(absl::FormatTime(absl::RFC3339_sec, *end, absl::UTCTimeZone()),
            "2126-10-29T21:36:06+00:00");
  EXPECT_FALSE(EndOfCertificate("nothing").ok());
}

}  // namespace
}  // namespace wormhole::tls
