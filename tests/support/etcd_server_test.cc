// That the nodes of etcd_server.h come up, do what they are told, and come back.
#include "tests/support/etcd_server.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_folder.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;

// What etcdctl prints, or its error.
std::string Get(const EtcdCluster& etcd, const std::string& key,
                const std::string& flag = "--print-value-only") {
  const auto value = etcd.Control({"get", key, "--print-value-only", flag});
  return value.ok() ? *value : std::string(value.status().message());
}

TEST(EtcdServerTest, OneNodeKeepsItsDataThroughAKill) {
  EtcdCluster etcd;
  const std::string endpoint = etcd.endpoints();
  EXPECT_EQ(endpoint.find("127.0.0.1:"), 0u);
  EXPECT_TRUE(etcd.Control({"put", "key", "value"}).ok());
  etcd.Kill(0);
  etcd.Restart(0);
  EXPECT_EQ(etcd.endpoints(), endpoint);
  EXPECT_EQ(Get(etcd, "key"), "value\n");
}

TEST(EtcdServerTest, ItsDataLiesWhereItIsToLie) {
  const TempFolder folder;
  {
    const EtcdCluster etcd({.fsync = true, .folder = folder.path()});
    EXPECT_FALSE(std::filesystem::is_empty(folder.path()));
    EXPECT_GT(etcd.pid(0), 0);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(EtcdServerTest, ThreeNodesElectAnotherLeader) {
  EtcdCluster etcd({.nodes = 3});
  const int first = etcd.leader();
  EXPECT_TRUE(etcd.Control({"put", "key", "value"}).ok());
  etcd.Kill(first);
  const int second = etcd.leader();
  EXPECT_NE(second, first);
  etcd.Restart(first);
  etcd.Pause(second);
  const int third = etcd.leader();
  EXPECT_NE(third, second);
  etcd.Resume(second);
  for (int node = 0; node < 3; ++node) etcd.Kill(node);
  for (int node = 0; node < 3; ++node) etcd.Start(node);
  for (int node = 0; node < 3; ++node) etcd.AwaitServing(node);
  EXPECT_EQ(Get(etcd, "key"), "value\n");
}

TEST(EtcdServerTest, ForgetsOldRevisions) {
  EtcdCluster etcd;
  for (const char* value : {"one", "two", "three"}) {
    EXPECT_TRUE(etcd.Control({"put", "key", value}).ok());
  }
  EXPECT_EQ(Get(etcd, "key", "--rev=3"), "two\n");
  etcd.Compact();
  EXPECT_THAT(Get(etcd, "key", "--rev=3"), HasSubstr("has been compacted"));
  EXPECT_EQ(Get(etcd, "key"), "three\n");
}

TEST(EtcdServerTest, IsRestoredFromACopy) {
  EtcdCluster etcd({.nodes = 3});
  EXPECT_TRUE(etcd.Control({"put", "key", "one"}).ok());
  const std::string copy = etcd.Save();
  EXPECT_TRUE(etcd.Control({"put", "key", "two"}).ok());
  EXPECT_TRUE(etcd.Control({"put", "later", "three"}).ok());
  etcd.Restore(copy);
  EXPECT_EQ(Get(etcd, "key"), "one\n");
  EXPECT_EQ(Get(etcd, "later"), "");
  etcd.Restore("");
  EXPECT_EQ(Get(etcd, "key"), "");
}

TEST(EtcdServerTest, UsersHaveTheirPrefix) {
  EtcdCluster etcd({.root_password = "secret"});
  etcd.AddUser("relay", "word", "wormhole/");
  EXPECT_EQ(Get(etcd, "wormhole/a", "--user=relay:word"), "");
  EXPECT_THAT(Get(etcd, "other/a", "--user=relay:word"), HasSubstr("permission denied"));
  EXPECT_THAT(Get(etcd, "wormhole/a", "--user=relay:wrong"), HasSubstr("authentication failed"));
}

TEST(EtcdServerTest, TlsWithClientCertificates) {
  const std::string folder = "tests/support/tls/";
  EtcdCluster etcd({.tls = {.cert = folder + "loopback.pem",
                            .key = folder + "loopback.key",
                            .client_ca = folder + "ca.pem",
                            .ca = folder + "loopback.pem",
                            .client_cert = folder + "client.pem",
                            .client_key = folder + "client.key"}});
  EXPECT_EQ(Get(etcd, "key"), "");
}

}  // namespace
}  // namespace wormhole::testing
