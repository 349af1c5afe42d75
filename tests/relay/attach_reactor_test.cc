// The reactor between a real gRPC stream and a scripted switchboard.
#include "relay/rendezvous/attach_reactor.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/sync/mutex.h"
#include "relay/rendezvous/rendezvous_service.h"
#include "tests/relay/scripted_switchboard.h"
#include "tests/support/attach_client.h"

namespace wormhole::service_test {
namespace {

using relay::BacklogLimits;

AttachResponse PostedResponse(uint64_t number) {
  AttachResponse response;
  response.mutable_posted()->set_number(number);
  return response;
}

AttachResponse MessageResponse(uint64_t number, size_t bytes) {
  AttachResponse response;
  response.mutable_message()->set_number(number);
  response.mutable_message()->set_frame(std::string(bytes, 'x'));
  return response;
}

// The reports of streams that are over.
class NotedReports final : public relay::StreamObserver {
 public:
  void OnStreamOver(const relay::StreamReport& report) override {
    sync::MutexLock lock(mutex_);
    reports_.push_back(report);
    changed_.NotifyAll();
  }

  relay::StreamReport Await() {
    sync::MutexLock lock(mutex_);
    while (reports_.empty()) changed_.Wait(mutex_);
    relay::StreamReport first = std::move(reports_.front());
    reports_.erase(reports_.begin());
    return first;
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  std::vector<relay::StreamReport> reports_ WORMHOLE_GUARDED_BY(mutex_);
};

class AttachReactorTest : public testing::Test {
 protected:
  void Serve(BacklogLimits limits = {}) {
    service_ = std::make_unique<relay::RendezvousService>(&switchboard_, limits, &reports_);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    builder.SetMaxReceiveMessageSize(100'000);
    server_ = builder.BuildAndStart();
    channel_ = Connect("127.0.0.1:" + std::to_string(port));
  }

  void TearDown() override {
    EXPECT_TRUE(service_->AwaitNoStreams(std::chrono::steady_clock::now() + kPatience));
    server_->Shutdown();
  }

  NotedReports reports_;
  ScriptedSwitchboard switchboard_;
  std::unique_ptr<relay::RendezvousService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// Frames 1 to 200. gRPC takes some of them for a client that does not read, and then no more.
void SendUntilStuck(relay::Sink& sink) {
  for (uint64_t n = 1; n <= 200; ++n) sink.Send(MessageResponse(n, 60'000));
  sink.Flush();
  size_t backlog = 0;
  do {
    backlog = sink.Backlog();
    sink.IsStuck();
  } while (!sink.IsStuck() || sink.Backlog() != backlog);
}

TEST_F(AttachReactorTest, HandsOverOneRequestAtATimeInOrder) {
  Serve();
  AttachClient client(channel_);
  for (uint64_t n = 1; n <= 50; ++n) ASSERT_TRUE(client.Send(Post(n, "f")));
  const auto attachment = switchboard_.AwaitAttachment();
  for (uint64_t n = 1; n <= 50; ++n) {
    EXPECT_EQ(attachment->AwaitRequest().post().number(), n);
    attachment->Next();
  }
}

TEST_F(AttachReactorTest, WritesEverythingInOrderAndThenTheStatus) {
  Serve();
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  Sink& sink = attachment->sink();
  for (uint64_t n = 1; n <= 1000; ++n) sink.Send(PostedResponse(n));
  sink.End(error::Make(error::ErrorDetail::REASON_EXPIRED, "the channel's time is over"));
  sink.End(absl::OkStatus());       // too late
  sink.Send(PostedResponse(1001));  // too late
  sink.Flush();
  for (uint64_t n = 1; n <= 1000; ++n) EXPECT_EQ(client.Receive()->posted().number(), n);
  EXPECT_FALSE(client.Receive());
  const absl::Status status = client.Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "the channel's time is over");
  EXPECT_EQ(error::ReasonOf(status), error::ErrorDetail::REASON_EXPIRED);
  attachment->AwaitDetached();
}

TEST_F(AttachReactorTest, NothingIsDoneBeforeFlush) {
  Serve();
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  ASSERT_TRUE(client.Send(Post(1, "f")));
  attachment->AwaitRequest();  // from here on the reactor starts nothing by itself
  attachment->sink().Send(MessageResponse(1, 1000));
  attachment->sink().Send(MessageResponse(2, 1000));
  EXPECT_GE(attachment->sink().Backlog(), 2000u);
  attachment->sink().Flush();
  EXPECT_TRUE(client.Receive());
  EXPECT_TRUE(client.Receive());
}

TEST_F(AttachReactorTest, SaysWhenTheBacklogHasFallen) {
  Serve();
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  ASSERT_TRUE(client.Send(Post(1, "f")));
  attachment->AwaitRequest();  // from here on the reactor starts nothing by itself
  for (uint64_t n = 1; n <= 50; ++n) attachment->sink().Send(MessageResponse(n, 60'000));
  const size_t full = attachment->sink().Backlog();
  EXPECT_GE(full, 50 * 60'000u);
  attachment->sink().Flush();
  for (uint64_t n = 1; n <= 50; ++n) ASSERT_EQ(client.Receive()->message().number(), n);
  attachment->AwaitDrained(1);
  for (int times = 2; attachment->sink().Backlog() > 0; ++times) attachment->AwaitDrained(times);
}

TEST_F(AttachReactorTest, AClientThatDoesNotReadIsNotReadUntilItCatchesUp) {
  Serve({.bytes = 200'000, .responses = 16});
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  ASSERT_TRUE(client.Send(Post(1, "f")));
  attachment->AwaitRequest();
  for (uint64_t n = 1; n <= 100; ++n) attachment->sink().Send(MessageResponse(n, 60'000));
  attachment->Next();
  ASSERT_TRUE(client.Send(Post(2, "f")));
  for (uint64_t n = 1; n <= 100; ++n) ASSERT_EQ(client.Receive()->message().number(), n);
  EXPECT_EQ(attachment->AwaitRequest().post().number(), 2u);
  EXPECT_LE(attachment->backlog_at_receive(), 200'000u);
}

TEST_F(AttachReactorTest, AClientThatNeverReadsCannotHoldItsEndingUp) {
  Serve({.ending_time = std::chrono::milliseconds(50)});
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  for (uint64_t n = 1; n <= 200; ++n) attachment->sink().Send(MessageResponse(n, 60'000));
  attachment->sink().End(absl::OkStatus());
  attachment->sink().Flush();
  attachment->AwaitDetached();
  EXPECT_TRUE(service_->AwaitNoStreams(std::chrono::steady_clock::now() + kPatience));
}

TEST_F(AttachReactorTest, IsStuckWhileNoWriteComesToItsEnd) {
  Serve();
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  EXPECT_FALSE(attachment->sink().IsStuck());
  SendUntilStuck(attachment->sink());
  for (uint64_t n = 1; n <= 100; ++n) ASSERT_EQ(client.Receive()->message().number(), n);
  while (attachment->sink().IsStuck()) {
  }
}

// It has had its time: half of --write-timeout. The reason needs no window.
TEST_F(AttachReactorTest, AStuckStreamEndsAtOnceAndIsToldWhy) {
  Serve({.ending_time = std::chrono::hours(1)});
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  SendUntilStuck(attachment->sink());
  attachment->sink().End(absl::UnavailableError("the client does not read: resume, 100 %"));
  attachment->sink().Flush();
  attachment->AwaitDetached();
  EXPECT_TRUE(service_->AwaitNoStreams(std::chrono::steady_clock::now() + kPatience));
  const absl::Status status = client.Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "the client does not read: resume, 100 %");
}

TEST_F(AttachReactorTest, ACancelledStreamIsDetachedWhateverItWasDoing) {
  Serve();
  for (int stage = 0; stage < 5; ++stage) {
    AttachClient client(channel_);
    if (stage >= 1) {
      ASSERT_TRUE(client.Send(Post(1, "f")));
    }
    const auto attachment = switchboard_.AwaitAttachment();
    if (stage >= 2) attachment->AwaitRequest();
    if (stage >= 3) {
      for (uint64_t n = 1; n <= 100; ++n) attachment->sink().Send(MessageResponse(n, 60'000));
      attachment->sink().Flush();
    }
    if (stage >= 4) {
      attachment->sink().End(absl::OkStatus());
      attachment->Next();
    }
    client.Cancel();
    attachment->AwaitDetached();
  }
}

TEST_F(AttachReactorTest, ManyStreamsAreCancelledWhileTheyAreSpokenTo) {
  Serve();
  for (int round = 0; round < 100; ++round) {
    AttachClient client(channel_);
    const auto attachment = switchboard_.AwaitAttachment();
    std::thread speaker([&] {
      for (uint64_t n = 1; n <= 20; ++n) {
        attachment->sink().Send(PostedResponse(n));
        attachment->sink().Flush();
      }
      attachment->sink().End(absl::OkStatus());
      attachment->sink().Flush();
    });
    client.Cancel();
    speaker.join();
    attachment->AwaitDetached();
  }
}

TEST_F(AttachReactorTest, TheEndOfTheClientsHalfIsTheEnd) {
  Serve();
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  attachment->sink().Send(PostedResponse(1));
  attachment->sink().Flush();
  client.HalfClose();
  attachment->AwaitDetached();
  EXPECT_EQ(client.Receive()->posted().number(), 1u);
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(AttachReactorTest, BehindACloseTheEndOfTheClientsHalfWaitsForTheAnswer) {
  Serve();
  AttachClient client(channel_);
  ASSERT_TRUE(client.Send(Close(rendezvous::v1::MOOD_HAPPY)));
  client.HalfClose();
  const auto attachment = switchboard_.AwaitAttachment();
  EXPECT_TRUE(attachment->AwaitRequest().has_close());
  attachment->Next();
  attachment->sink().Send(PostedResponse(7));
  attachment->sink().End(absl::OkStatus());
  attachment->sink().Flush();
  EXPECT_EQ(client.Receive()->posted().number(), 7u);
  EXPECT_TRUE(client.Finish().ok());
}

TEST_F(AttachReactorTest, ASwitchboardMayRefuseAtOnce) {
  Serve();
  switchboard_.Drain();
  AttachClient client(channel_);
  EXPECT_EQ(error::ReasonOf(client.Finish()), error::ErrorDetail::REASON_DRAINING);
}

TEST_F(AttachReactorTest, ThreadsMaySpeakAtOnce) {
  Serve();
  AttachClient client(channel_);
  const auto attachment = switchboard_.AwaitAttachment();
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kEach = 500;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t n = 0; n < kEach; ++n) {
        attachment->sink().Send(PostedResponse(t * kEach + n));
        attachment->sink().Flush();
      }
    });
  }
  std::vector<uint64_t> next(kThreads, 0);
  for (uint64_t count = 0; count < kThreads * kEach; ++count) {
    const uint64_t number = client.Receive()->posted().number();
    EXPECT_EQ(number % kEach, next[number / kEach]++);
  }
  for (std::thread& thread : threads) thread.join();
}

// Speaks bytes, not messages.
class RawClient {
 public:
  explicit RawClient(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
  }

  absl::Status SendAndFinish(const std::string& bytes) {
    auto stream =
        stub_.PrepareCall(&context_, "/wormhole.rendezvous.v1.RendezvousService/Attach", &queue_);
    stream->StartCall(this);
    Wait();
    const grpc::Slice slice(bytes);
    stream->Write(grpc::ByteBuffer(&slice, 1), this);
    Wait();
    grpc::Status status;
    stream->Finish(&status, this);
    Wait();
    return error::FromWire(static_cast<int>(status.error_code()), status.error_message(),
                           status.error_details());
  }

 private:
  void Wait() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
};

TEST_F(AttachReactorTest, GarbageIsRefusedByName) {
  Serve();
  for (const std::string& garbage :
       {std::string("\xff\xff\xff"), std::string("\x0a\x7f"), std::string(50'000, '\x0b')}) {
    const absl::Status status = RawClient(channel_).SendAndFinish(garbage);
    EXPECT_EQ(error::ReasonOf(status), error::ErrorDetail::REASON_MALFORMED) << status;
    switchboard_.AwaitAttachment()->AwaitDetached();
  }
}

TEST_F(AttachReactorTest, AMessageBeyondTheLimitEndsTheStream) {
  Serve();
  const absl::Status status = RawClient(channel_).SendAndFinish(std::string(200'000, 'x'));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  switchboard_.AwaitAttachment()->AwaitDetached();
}

TEST_F(AttachReactorTest, ReportsAStreamThatIsOver) {
  Serve();
  AttachClient client(channel_, {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7-01"}});
  ASSERT_TRUE(client.Send(OpenClaim('b', 7)));
  ASSERT_TRUE(client.Send(Post(1, "frame")));
  const auto attachment = switchboard_.AwaitAttachment();
  attachment->AwaitRequest();
  attachment->Next();
  attachment->AwaitRequest();
  AttachResponse opened;
  opened.mutable_opened()->set_state(rendezvous::v1::Opened::STATE_ATTACHED);
  opened.mutable_opened()->set_channel_id(7);
  attachment->sink().Send(opened);
  attachment->sink().Send(MessageResponse(1, 10));
  attachment->sink().End(error::Make(error::ErrorDetail::REASON_SUPERSEDED, "superseded"));
  attachment->sink().Flush();
  EXPECT_FALSE(client.Finish().ok());
  const relay::StreamReport report = reports_.Await();
  EXPECT_EQ(report.purpose, rendezvous::v1::Open::kClaim);
  EXPECT_EQ(report.app_id, "example.com/test");
  EXPECT_EQ(report.channel_id, 7u);
  EXPECT_TRUE(report.attached);
  EXPECT_EQ(report.posts, 1u);
  EXPECT_EQ(report.post_bytes, 5u);
  EXPECT_EQ(report.messages, 1u);
  EXPECT_EQ(error::ReasonOf(report.status), error::ErrorDetail::REASON_SUPERSEDED);
  EXPECT_EQ(report.peer.substr(0, 15), "ipv4:127.0.0.1:");
  EXPECT_EQ(report.traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7-01");
}

TEST_F(AttachReactorTest, ReportsAStreamThatSaidNothing) {
  Serve();
  {
    AttachClient client(channel_);
    switchboard_.AwaitAttachment();
  }
  const relay::StreamReport report = reports_.Await();
  EXPECT_EQ(report.purpose, rendezvous::v1::Open::PURPOSE_NOT_SET);
  EXPECT_FALSE(report.opened);
  EXPECT_EQ(report.channel_id, 0u);
}

}  // namespace
}  // namespace wormhole::service_test
