#include "client/stream/grpc_transport.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/stream/testing/connect_proxy.h"
#include "client/stream/testing/echo.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole {
namespace {

using rendezvous::v1::AttachRequest;

class GrpcTransportTest : public testing::Test {
 protected:
  GrpcTransportTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // refused connections are part of the test
    Serve(0);
  }
  ~GrpcTransportTest() override {
    if (server_ != nullptr) Stop();
  }

  void Serve(int port) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void Stop() {
    server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }

  std::shared_ptr<Stream> Open(const std::shared_ptr<Recorder>& recorder) {
    return transport_.Open(Target(), recorder);
  }
  StreamTarget Target() { return {.relay = "127.0.0.1:" + std::to_string(port_)}; }

  EchoService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  GrpcTransport transport_;
};

TEST_F(GrpcTransportTest, KeepsTheOrder) {
  auto recorder = std::make_shared<Recorder>();
  const auto stream = Open(recorder);
  for (uint64_t n = 1; n <= 100; ++n) stream->Send(Post(n));
  for (size_t n = 1; n <= 100; ++n) {
    EXPECT_EQ(recorder->AwaitPosted(n)[n - 1], n);
    stream->ReadMore();
  }
  stream->Abandon();
}

TEST_F(GrpcTransportTest, HandsOverWhatWasAskedFor) {
  auto recorder = std::make_shared<Recorder>();
  const auto stream = Open(recorder);
  for (uint64_t n = 1; n <= 5; ++n) stream->Send(Post(n));
  recorder->AwaitPosted(1);
  // A second stream on the same connection gets its answer, and still nobody asked for more.
  auto other = std::make_shared<Recorder>();
  const auto other_stream = Open(other);
  other_stream->Send(Post(9));
  other->AwaitPosted(1);
  EXPECT_EQ(recorder->AwaitPosted(1).size(), 1u);
  stream->ReadMore();
  EXPECT_EQ(recorder->AwaitPosted(2).size(), 2u);
  stream->Abandon();
  other_stream->Abandon();
}

// PROTOCOL.md, section 2, sizes: a relay may let frames have a mebibyte.
TEST_F(GrpcTransportTest, TakesAResponseWithTheLargestFrame) {
  auto recorder = std::make_shared<Recorder>();
  const auto stream = Open(recorder);
  AttachRequest post = Post(1);
  post.mutable_post()->set_frame(std::string(1 << 20, 'x'));
  stream->Send(post);
  EXPECT_EQ(recorder->AwaitPosted(1)[0], 1u);
  stream->Abandon();
}

TEST_F(GrpcTransportTest, TheEndComesWithItsDetail) {
  auto recorder = std::make_shared<Recorder>();
  const auto stream = Open(recorder);
  AttachRequest close;
  close.mutable_close();
  stream->Send(close);
  const absl::Status status = recorder->AwaitEnd();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "come back later");
  ASSERT_TRUE(error::DetailOf(status).has_value());
  EXPECT_EQ(error::DetailOf(status)->reason(), error::ErrorDetail::REASON_BUSY);
  EXPECT_EQ(error::DetailOf(status)->retry_delay().seconds(), 7);
  stream->Send(Post(1));  // nothing comes of these
  stream->ReadMore();
  stream->Abandon();
}

TEST_F(GrpcTransportTest, StreamsShareOneConnectionWhileOneIsOpen) {
  std::vector<std::shared_ptr<Stream>> streams;
  for (int i = 0; i < 20; ++i) {
    auto recorder = std::make_shared<Recorder>();
    streams.push_back(Open(recorder));
    streams.back()->Send(Post(1));
    recorder->AwaitPosted(1);
  }
  EXPECT_EQ(service_.peers().size(), 1u);
  for (const auto& stream : streams) stream->Abandon();
}

// A connection that is dead without this machine knowing takes what is sent, and nothing comes.
TEST_F(GrpcTransportTest, WhoComesAfterASilentStreamIsNotPutOnItsConnection) {
  ConnectProxy network(port_);
  GrpcTransport transport({.for_plaintext = {"http_proxy", "http://" + network.address()}});
  const StreamTarget target{.relay = "relay.test:47180", .security = Security::kPlaintext};
  const auto open = [&](const std::shared_ptr<Recorder>& recorder) {
    auto stream = transport.Open(target, recorder);
    stream->Send(Post(1));
    return stream;
  };
  auto silent = std::make_shared<Recorder>();
  auto neighbour = std::make_shared<Recorder>();
  const auto silent_stream = open(silent);
  const auto neighbours_stream = open(neighbour);
  silent->AwaitPosted(1);
  neighbour->AwaitPosted(1);
  ASSERT_EQ(network.requests().size(), 1u);
  network.Freeze();
  silent_stream->Distrust();
  silent_stream->Abandon();
  auto next = std::make_shared<Recorder>();
  const auto next_stream = open(next);
  next->AwaitPosted(1);
  EXPECT_EQ(network.requests().size(), 2u);
  EXPECT_FALSE(neighbour->ended());
  // When the neighbour finds out, the new connection is not the one that it means.
  neighbours_stream->Distrust();
  neighbours_stream->Abandon();
  auto last = std::make_shared<Recorder>();
  const auto last_stream = open(last);
  last->AwaitPosted(1);
  EXPECT_EQ(network.requests().size(), 2u);
  next_stream->Abandon();
  last_stream->Abandon();
}

TEST_F(GrpcTransportTest, AnAbandonedStreamSaysNothing) {
  auto recorder = std::make_shared<Recorder>();
  std::weak_ptr<Recorder> weak = recorder;
  auto stream = Open(recorder);
  stream->Send(Post(1));
  recorder->AwaitPosted(1);
  stream->Abandon();
  stream->Abandon();
  stream->Send(Post(2));
  stream->ReadMore();
  Stop();  // waits for the server's side of the stream
  EXPECT_FALSE(recorder->ended());
  EXPECT_EQ(recorder->AwaitPosted(1).size(), 1u);
}

TEST_F(GrpcTransportTest, ANewTryReachesARelayThatCameBack) {
  Stop();
  auto refused = std::make_shared<Recorder>();
  auto stream = Open(refused);
  stream->Send(Post(1));
  const absl::Status status = refused->AwaitEnd();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_FALSE(error::DetailOf(status).has_value());
  stream = nullptr;
  Serve(port_);
  for (bool answered = false; !answered;) {
    auto recorder = std::make_shared<Recorder>();
    const auto again = Open(recorder);
    AttachRequest close;
    close.mutable_close();
    again->Send(close);
    answered = error::DetailOf(recorder->AwaitEnd()).has_value();
  }
}

TEST_F(GrpcTransportTest, ATokenTravelsAsMetadata) {
  StreamTarget target = Target();
  target.bearer_token = "secret";
  auto recorder = std::make_shared<Recorder>();
  const auto stream = transport_.Open(target, recorder);
  stream->Send(Post(1));
  recorder->AwaitPosted(1);
  EXPECT_EQ(service_.token(), "Bearer secret");
  stream->Abandon();
}

TEST_F(GrpcTransportTest, OpenAndAbandonFromManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 50; ++i) {
        auto recorder = std::make_shared<Recorder>();
        const auto stream = Open(recorder);
        stream->Send(Post(1));
        if (i % 3 == 0) recorder->AwaitPosted(1);
        stream->Abandon();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace wormhole
