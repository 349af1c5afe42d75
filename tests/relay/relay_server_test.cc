// A whole relay in this process, over real gRPC: the service's path, health, hostile clients.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/server/server.h"
#include "relay/store/memory/memory_store.h"
#include "tests/relay/relay_server_fixture.h"
#include "tests/support/attach_client.h"

namespace wormhole::service_test {
namespace {

using error::ErrorDetail;
using error::ReasonOf;
using rendezvous::v1::Opened;

TEST_F(RelayServerTest, CarriesAnExchangeFromAllocationToClose) {
  config_.motd = "hello";
  Serve();
  AttachClient a(channel_);
  a.Send(OpenAllocate('a'));
  const Opened opened = a.Receive()->opened();
  EXPECT_EQ(opened.state(), Opened::STATE_ATTACHED);
  EXPECT_GE(opened.channel_id(), 1u);
  EXPECT_LE(opened.channel_id(), 9u);
  EXPECT_EQ(opened.motd(), "hello");
  EXPECT_EQ(opened.limits().max_frame_bytes(), 66'000u);
  EXPECT_EQ(opened.heartbeat_interval().seconds(), 20);
  a.Send(Post(1, "from a"));
  EXPECT_EQ(a.ReceiveNews()->posted().number(), 1u);

  AttachClient b(channel_);
  b.Send(OpenClaim('b', opened.channel_id()));
  EXPECT_EQ(b.Receive()->opened().peer_stored(), 1u);
  EXPECT_EQ(b.ReceiveNews()->message().frame(), "from a");
  b.Send(Ack(1));
  b.Send(Post(1, "from b"));
  EXPECT_EQ(b.ReceiveNews()->posted().number(), 1u);
  EXPECT_EQ(a.ReceiveNews()->message().frame(), "from b");
  a.Send(Ack(1));
  a.Send(Close(rendezvous::v1::MOOD_HAPPY));
  EXPECT_TRUE(a.Finish().ok());
  b.Send(Close(rendezvous::v1::MOOD_HAPPY));
  EXPECT_TRUE(b.Finish().ok());

  AttachClient late(channel_);
  late.Send(OpenResume('a', opened.channel_id()));
  const absl::Status status = late.Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), ErrorDetail::REASON_CLOSED);
  EXPECT_EQ(error::DetailOf(status)->mood(), rendezvous::v1::MOOD_HAPPY);
}

TEST_F(RelayServerTest, AnswersHeartbeats) {
  Serve();
  AttachClient a(channel_);
  a.Send(OpenAllocate('a'));
  a.Receive();
  a.Send(Beat());
  EXPECT_TRUE(a.Receive()->has_heartbeat());
}

TEST_F(RelayServerTest, EndsSilentStreams) {
  config_.heartbeat = absl::Milliseconds(100);
  Serve();
  AttachClient a(channel_);
  a.Send(OpenAllocate('a'));
  EXPECT_TRUE(a.Receive()->has_opened());
  const absl::Status status = a.Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("nothing was heard"));
}

TEST_F(RelayServerTest, RefusalsCarryTheirReasonInTheTrailers) {
  Serve();
  const auto pair = OpenPair();
  const struct {
    AttachRequest request;
    ErrorDetail::Reason reason;
  } kCases[] = {
      {OpenClaim('c', pair->id), ErrorDetail::REASON_CROWDED},
      {OpenClaim('c', 77), ErrorDetail::REASON_NEVER_ALLOCATED},
      {OpenResume('c', pair->id), ErrorDetail::REASON_NOT_MEMBER},
      {OpenAllocate('c', pair->id), ErrorDetail::REASON_TAKEN},
      {OpenClaim('a', pair->id), ErrorDetail::REASON_SIDE_IN_USE},
      {Post(1, "before Open"), ErrorDetail::REASON_MALFORMED},
      {Beat(), ErrorDetail::REASON_MALFORMED},
      {AttachRequest(), ErrorDetail::REASON_MALFORMED},
      {OpenClaim('c', 1'000'000'000), ErrorDetail::REASON_MALFORMED},
  };
  for (const auto& c : kCases) {
    AttachClient client(channel_);
    client.Send(c.request);
    const absl::Status status = client.Finish();
    EXPECT_EQ(ReasonOf(status), c.reason) << c.request.ShortDebugString() << " " << status;
    EXPECT_EQ(status.code(), error::CodeOf(c.reason));
    EXPECT_FALSE(status.message().empty());
  }
}

TEST_F(RelayServerTest, ABadPostEndsItsStreamAlone) {
  Serve();
  const struct {
    AttachRequest request;
    ErrorDetail::Reason reason;
  } kCases[] = {
      {Post(0, "f"), ErrorDetail::REASON_MALFORMED},
      {Post(3, "a gap"), ErrorDetail::REASON_MALFORMED},
      {Post(1, std::string(66'001, 'x')), ErrorDetail::REASON_MALFORMED},
      {OpenAllocate('a'), ErrorDetail::REASON_MALFORMED},
      {AttachRequest(), ErrorDetail::REASON_MALFORMED},
  };
  const auto pair = OpenPair();
  for (const auto& c : kCases) {
    AttachClient a(channel_);
    a.Send(OpenResume('a', pair->id));
    ASSERT_TRUE(a.Receive()->has_opened());
    a.Send(c.request);
    EXPECT_EQ(ReasonOf(a.Finish()), c.reason) << c.request.ShortDebugString().substr(0, 80);
  }
  pair->b.Send(Post(1, "still here"));
  EXPECT_EQ(pair->b.ReceiveNews()->posted().number(), 1u);
}

TEST_F(RelayServerTest, TheYoungerStreamOfASideWins) {
  Serve();
  const auto pair = OpenPair();
  AttachClient again(channel_);
  again.Send(OpenResume('a', pair->id));
  EXPECT_TRUE(again.Receive()->has_opened());
  EXPECT_EQ(ReasonOf(pair->a.Finish()), ErrorDetail::REASON_SUPERSEDED);
}

TEST_F(RelayServerTest, AClientThatVanishesAtAnyPointLeavesNothingBehind) {
  Serve();
  for (int stage = 0; stage < 6; ++stage) {
    AttachClient client(channel_);
    const char token = static_cast<char>('k' + stage);
    if (stage >= 1) client.Send(OpenAllocate(token));
    if (stage >= 2) client.Receive();
    if (stage >= 3) client.Send(Post(1, "f"));
    if (stage >= 4) client.ReceiveNews();
    if (stage >= 5) client.Send(Close(rendezvous::v1::MOOD_HAPPY));
    client.Cancel();
  }
  AwaitStreams(0);
}

TEST_F(RelayServerTest, AReaderThatNeverReadsHoldsNobodyUp) {
  Serve();
  const auto pair = OpenPair();
  // As much as the window takes without an acknowledgement.
  for (uint64_t n = 1; n <= 15; ++n) {
    pair->a.Send(Post(n, std::string(66'000, 'x')));
    while (true) {
      const auto news = pair->a.ReceiveNews();
      ASSERT_TRUE(news);
      if (news->posted().number() >= n) break;
    }
  }
  AttachClient other(channel_);
  other.Send(OpenAllocate('o'));
  EXPECT_TRUE(other.Receive()->has_opened());
  pair->b.Cancel();
  pair->a.Send(Beat());
  while (!pair->a.Receive()->has_heartbeat()) {
  }
}

// What is sent and not read fills gRPC's windows first: this one keeps to 64 KiB.
std::shared_ptr<grpc::Channel> ConnectWithSmallWindow(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// And the relay's, which may grow to some MiB, is soon full of these. Nobody knows the field.
AttachRequest PaddedBeat() {
  AttachRequest request;
  rendezvous::v1::Heartbeat* const heartbeat = request.mutable_heartbeat();
  heartbeat->GetReflection()->MutableUnknownFields(heartbeat)->AddLengthDelimited(
      1000, std::string(1000, 'x'));
  return request;
}

TEST_F(RelayServerTest, FloodsOfHeartbeatsFromAClientThatNeverReadsAreLeftUnread) {
  Serve();
  AttachClient deaf(ConnectWithSmallWindow(server_->address()));
  deaf.Send(OpenAllocate('a'));
  constexpr int kFlood = 200'000;
  const AttachRequest beat = PaddedBeat();
  std::atomic<int> sent = 0;
  std::thread flood([&] {
    while (sent < kFlood && deaf.Send(beat)) ++sent;
  });
  AttachClient other(Connect(server_->address()));
  other.Send(OpenAllocate('o'));
  EXPECT_TRUE(other.Receive()->has_opened());
  // The flood is held up when it stands still while the relay answers somebody else many times.
  int seen = 0;
  for (int answers = 0; answers < 1000; ++answers) {
    if (std::exchange(seen, sent) != seen) answers = 0;
    other.Send(Beat());
    other.Receive();
  }
  EXPECT_LT(seen, kFlood);
  RecordProperty("sent", seen);
  deaf.Cancel();
  flood.join();
}

// A message that is small on the wire and large once it is inflated.
TEST_F(RelayServerTest, CompressedMessagesAreRefusedUnread) {
  Serve();
  const auto stub = rendezvous::v1::RendezvousService::NewStub(Connect(server_->address()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const auto stream = stub->Attach(&context);
  stream->Write(Post(1, std::string(16 << 20, 'x')));
  AttachResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  AwaitStreams(0);
}

TEST_F(RelayServerTest, GiantMetadataIsRefused) {
  Serve();
  const auto stub = rendezvous::v1::RendezvousService::NewStub(Connect(server_->address()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  context.AddMetadata("x-giant", std::string(100'000, 'x'));
  const auto stream = stub->Attach(&context);
  AttachResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  AwaitStreams(0);
}

TEST_F(RelayServerTest, AHeaderWithinItsLimitIsTaken) {
  config_.max_header_bytes = 200'000;
  Serve();
  const auto stub = rendezvous::v1::RendezvousService::NewStub(Connect(server_->address()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  context.AddMetadata("x-giant", std::string(100'000, 'x'));
  const auto stream = stub->Attach(&context);
  stream->Write(OpenAllocate('a'));
  AttachResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_opened());
  context.TryCancel();
  stream->Finish();
}

TEST_F(RelayServerTest, ManyClientsExchangeAtOnce) {
  Serve();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      const auto channel = Connect(server_->address());
      for (int round = 0; round < 16; ++round) {
        const char token = static_cast<char>(t * 16 + round);
        AttachClient a(channel);
        a.Send(OpenAllocate(token));
        const uint32_t id = a.Receive()->opened().channel_id();
        AttachClient b(channel);
        b.Send(OpenClaim(static_cast<char>(token + 128), id));
        ASSERT_TRUE(b.Receive()->has_opened());
        a.Send(Post(1, std::to_string(id)));
        ASSERT_EQ(b.ReceiveNews()->message().frame(), std::to_string(id));
        a.Send(Close(rendezvous::v1::MOOD_LONELY));
        EXPECT_TRUE(a.Finish().ok());
        EXPECT_EQ(ReasonOf(b.Finish()), ErrorDetail::REASON_CLOSED);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  AwaitStreams(0);
}

TEST_F(RelayServerTest, DrainsEveryStream) {
  Serve();
  const auto pair = OpenPair();
  EXPECT_TRUE(server_->Drain());
  for (AttachClient* client : {&pair->a, &pair->b}) {
    const auto last = client->ReceiveNews();
    EXPECT_TRUE(last && last->has_draining());
    const absl::Status status = client->Finish();
    EXPECT_EQ(ReasonOf(status), ErrorDetail::REASON_DRAINING) << status;
    EXPECT_TRUE(error::DetailOf(status)->has_retry_delay());
  }
}

TEST_F(RelayServerTest, IsDestroyedWithStreamsAttached) {
  Serve();
  const auto pair = OpenPair();
  pair->a.Send(Post(1, "f"));
  server_.reset();
  EXPECT_FALSE(pair->b.Finish().ok());
}

// By more than every channel lasts.
TEST_F(RelayServerTest, AClockThatIsSetEndsNothing) {
  Serve();
  const auto pair = OpenPair();
  for (const absl::Duration forward : {absl::Hours(72), absl::Hours(-144)}) {
    SetClock(forward);
    const uint64_t number = forward > absl::ZeroDuration() ? 1 : 2;
    EXPECT_TRUE(pair->a.Send(Post(number, "f")));
    EXPECT_EQ(pair->b.ReceiveNews()->message().number(), number);
    AttachClient another(channel_);
    EXPECT_TRUE(another.Send(OpenAllocate(forward > absl::ZeroDuration() ? 'c' : 'd')));
    EXPECT_TRUE(another.Receive()->has_opened());
  }
  EXPECT_EQ(clock_.state().steps, 2u);
}

TEST_F(RelayServerTest, ATakenPortIsAnError) {
  Serve();
  RelayConfig second = config_;
  second.listen = server_->address();
  relay::MemoryStore store;
  const auto refused = RelayServer::Start(
      second, [&] { return &store; }, &clock_, &monitor_);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace wormhole::service_test
