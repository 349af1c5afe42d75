// A whole relay in the test's process, over real gRPC.
#ifndef WORMHOLE_TESTS_RELAY_RELAY_SERVER_FIXTURE_H_
#define WORMHOLE_TESTS_RELAY_RELAY_SERVER_FIXTURE_H_

#include <memory>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "relay/clock/testing/machine_clock.h"
#include "relay/server/server.h"
#include "relay/store/memory/memory_store.h"
#include "tests/support/attach_client.h"

namespace wormhole::service_test {

using relay::RelayConfig;
using relay::RelayServer;

class RelayServerTest : public ::testing::Test {
 protected:
  RelayServerTest() {
    config_.listen = "127.0.0.1:0";
    config_.admin_listen = "";
  }

  void Serve() { ServeFrom(&store_); }

  void ServeFrom(relay::Store* store) {
    auto server = RelayServer::Start(
        config_, [store] { return store; }, &clock_, &monitor_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->Serve();
    channel_ = Connect(server_->address());
  }

  // Allocates with token `a`, claims with `b`; both streams are open afterwards.
  struct Pair {
    AttachClient a;
    AttachClient b;
    uint32_t id = 0;
  };
  std::unique_ptr<Pair> OpenPair() {
    std::unique_ptr<Pair> pair(new Pair{AttachClient(channel_), AttachClient(channel_)});
    EXPECT_TRUE(pair->a.Send(OpenAllocate('a')));
    pair->id = pair->a.Receive()->opened().channel_id();
    EXPECT_TRUE(pair->b.Send(OpenClaim('b', pair->id)));
    EXPECT_EQ(pair->b.Receive()->opened().channel_id(), pair->id);
    return pair;
  }

  // Somebody sets the machine's clock.
  void SetClock(absl::Duration forward) { machine_.Set(forward); }

  void AwaitStreams(size_t count) {
    // Streams end on threads of gRPC; what a new one is told comes after.
    while (server_->stream_count() != count) std::this_thread::yield();
  }

  RelayConfig config_;
  relay::MachineClock machine_;
  relay::RelayClock clock_{machine_.reader()};
  relay::Monitor monitor_{config_};
  relay::MemoryStore store_;
  std::unique_ptr<RelayServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace wormhole::service_test

#endif  // WORMHOLE_TESTS_RELAY_RELAY_SERVER_FIXTURE_H_
