// An etcd that takes less at once than it does by default, and refuses what is more for good.
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/etcd_relay.h"
#include "tests/support/etcd_server.h"

namespace wormhole::relay {
namespace {

using ::testing::HasSubstr;
using ::wormhole::testing::EtcdCluster;

constexpr Role kInitiator = Role::kInitiator;

class EtcdRefusalTest : public ::testing::Test {
 protected:
  static EtcdOptions Options(const EtcdCluster& cluster) {
    return {.servers = {.endpoints = {cluster.endpoint(0)}},
            .patience = absl::InfiniteDuration(),
            .creation_patience = absl::InfiniteDuration()};
  }
  static ChannelKey Key(uint32_t id) { return {"example.com/app1", id}; }

  // Waits with what else is made until the relay ticks.
  std::future<absl::StatusOr<AppendResult>> Post(uint32_t id, size_t size) {
    const auto answer = std::make_shared<std::promise<absl::StatusOr<AppendResult>>>();
    one_.store().Append(Key(id), 1, kInitiator, 1, std::string(size, 'x'),
                        [answer](const auto& result) { answer->set_value(result); });
    return answer->get_future();
  }

  EtcdCluster cluster_{{.flags = {"--max-request-bytes=150000"}}};
  EtcdRelay one_{"one", Options(cluster_)};
  EtcdRelay two_{"two", Options(cluster_)};
};

TEST_F(EtcdRefusalTest, WhatIsRefusedIsNobodyElsesLoss) {
  for (const uint32_t id : {1, 2, 3, 8, 9}) {
    one_.Call().Put(Key(id), 0, Record("i" + std::to_string(id)));
  }
  one_.store().SetAttached(Key(8), kInitiator, true);
  two_.listener().Await("elsewhere 8 i");
  one_.Freeze();
  auto first = Post(1, 80'000);
  auto more_than_it_takes = Post(2, 200'000);
  auto last = Post(3, 80'000);
  one_.store().SetAttached(Key(9), kInitiator, true);
  one_.Tick();
  EXPECT_TRUE(IsStoreAway(more_than_it_takes.get().status()));
  for (auto* post : {&first, &last}) {
    const absl::StatusOr<AppendResult> result = post->get();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->outcome, AppendOutcome::kDone);
  }
  two_.listener().Await("elsewhere 9 i");
}

// gRPC refuses it before etcd does, with the code of an etcd that is full.
TEST_F(EtcdRefusalTest, WhatIsTooLongIsNoFullEtcd) {
  constexpr uint32_t kPosts = 7;
  for (uint32_t id = 1; id <= kPosts + 1; ++id) {
    one_.Call().Put(Key(id), 0, Record("i" + std::to_string(id)));
  }
  one_.Freeze();
  std::vector<std::future<absl::StatusOr<AppendResult>>> posts;
  for (uint32_t id = 1; id <= kPosts; ++id) posts.push_back(Post(id, 100'000));
  auto more_than_it_takes = Post(kPosts + 1, 700'000);
  one_.Tick();
  for (auto& post : posts) {
    const absl::StatusOr<AppendResult> result = post.get();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->outcome, AppendOutcome::kDone);
  }
  const absl::Status refused = more_than_it_takes.get().status();
  EXPECT_TRUE(IsStoreAway(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("larger than max"));
}

}  // namespace
}  // namespace wormhole::relay
