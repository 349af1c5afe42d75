// Files for etcd that cannot be used are refused before anything is asked of etcd, which would look
// as if it were away.
#include "relay/open_store.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/clock/clock.h"

namespace wormhole::relay {
namespace {

using ::testing::HasSubstr;

const std::string kFolder = "tests/support/tls/";

std::string Written(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

struct Case {
  EtcdChoice etcd;
  std::string says;
};

TEST(OpenStoreTest, FilesForEtcdThatCannotBeUsed) {
  const std::string ca = kFolder + "ca.pem";
  const std::string cert = kFolder + "client.pem";
  const std::string key = kFolder + "client.key";
  const std::string damaged =
      Written("damaged.pem", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n");
  const std::string empty = Written("empty", "");
  const std::string user = Written("user", "root\r\n");
  const Case kCases[] = {
      {{.tls_ca = "/nowhere"}, "--etcd-tls-ca=/nowhere: cannot be read"},
      {{.tls_ca = "/"}, "--etcd-tls-ca=/: is a folder"},
      {{.tls_ca = empty}, ": is empty"},
      {{.tls_ca = key}, "--etcd-tls-ca=tests/support/tls/client.key: holds no certificate"},
      {{.tls_ca = damaged}, "number 1, that says CERTIFICATE and is none"},
      {{.tls_ca = ca, .tls_cert = damaged, .tls_key = key}, "--etcd-tls-cert="},
      {{.tls_ca = ca, .tls_cert = cert, .tls_key = cert}, "holds no private key"},
      {{.tls_ca = ca, .tls_cert = cert, .tls_key = kFolder + "relay.key"},
       "(--etcd-tls-cert is tests/support/tls/client.pem)"},
      {{.user_file = "/nowhere", .password_file = user}, "--etcd-user-file=/nowhere"},
      {{.user_file = user, .password_file = empty}, "--etcd-password-file="},
  };
  RelayClock clock;
  for (const Case& c : kCases) {
    StoreChoice choice{.kind = StoreChoice::Kind::kEtcd, .etcd = c.etcd};
    choice.etcd.endpoints = {"127.0.0.1:1"};
    const absl::Status refused = OpenStore(choice, &clock, {}).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(c.says));
  }
}

// So nothing but etcd is missing.
TEST(OpenStoreTest, FilesForEtcdThatAreSound) {
  RelayClock clock;
  StoreChoice choice{.kind = StoreChoice::Kind::kEtcd,
                     .etcd = {.endpoints = {"127.0.0.1:1"},
                              .tls_ca = kFolder + "ca.pem",
                              .tls_cert = kFolder + "client.pem",
                              .tls_key = kFolder + "client.key",
                              .user_file = Written("user", "root\r\n"),
                              .password_file = Written("password", "secret\n")}};
  EXPECT_NE(OpenStore(choice, &clock, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace wormhole::relay
