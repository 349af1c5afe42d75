#include "client/stream/pem.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "client/stream/authorities.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

std::string PathOf(const std::string& name) { return "tests/support/tls/" + name; }

std::string ContentOf(const std::string& name) {
  std::ifstream file(PathOf(name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void ExpectRefused(const absl::Status& status, const char* what) {
  EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), what)) << status;
}

TEST(PemTest, WhatIsSoundIsTaken) {
  EXPECT_TRUE(CheckPems({}).ok());
  EXPECT_TRUE(CheckPems({.root_certificates = ContentOf("ca.pem"),
                         .certificate_chain = ContentOf("client.pem"),
                         .private_key = ContentOf("client.key")})
                  .ok());
}

TEST(PemTest, TheLibrarySaysWhichMember) {
  ExpectRefused(CheckPems({.root_certificates = ContentOf("client.key")}),
                "Tls::root_certificates holds no certificate");
  ExpectRefused(CheckPems({.certificate_chain = ContentOf("client.pem"),
                           .private_key = ContentOf("client.pem")}),
                "Tls::private_key holds no private key");
  ExpectRefused(CheckPems({.certificate_chain = ContentOf("client.key"),
                           .private_key = ContentOf("client.key")}),
                "Tls::certificate_chain holds no certificate");
  ExpectRefused(CheckPems({.certificate_chain = ContentOf("client.pem"),
                           .private_key = ContentOf("relay.key")}),
                "Tls::private_key is not the key");
}

TEST(AuthoritiesTest, OneIsEnough) {
  EXPECT_TRUE(CheckAuthorities({.files = {"/nonexistent", PathOf("ca.pem")}}).ok());
  EXPECT_TRUE(CheckAuthorities({.folders = {"/nonexistent", "tests/support/tls"}}).ok());
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
