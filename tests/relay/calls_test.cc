// What strangers may call beside Attach: each call counts for its client as a stream does.
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "tests/relay/relay_server_fixture.h"

namespace wormhole::service_test {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

class CallsTest : public RelayServerTest {
 protected:
  class Watch {
   public:
    explicit Watch(const std::shared_ptr<grpc::Channel>& channel)
        : stub_(Health::NewStub(channel)) {
      context_.set_deadline(std::chrono::system_clock::now() + kPatience);
      watcher_ = stub_->Watch(&context_, HealthCheckRequest());
    }
    // Whether it has been let in.
    bool Read() {
      HealthCheckResponse response;
      return watcher_->Read(&response);
    }
    grpc::Status Cancel() {
      context_.TryCancel();
      return watcher_->Finish();
    }
    grpc::Status Finish() { return watcher_->Finish(); }

   private:
    grpc::ClientContext context_;
    const std::unique_ptr<Health::Stub> stub_;
    std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> watcher_;
  };

  grpc::Status Check(std::chrono::milliseconds patience = kPatience) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    HealthCheckResponse response;
    return Health::NewStub(channel_)->Check(&context, HealthCheckRequest(), &response);
  }

  // Whether checks pass, or do not, before the patience is over: the relay hears of calls, and of
  // their ends, in its time.
  bool AwaitChecks(bool pass) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (Check().ok() != pass) {
      if (std::chrono::steady_clock::now() > deadline) return false;
    }
    return true;
  }

  // By its name alone.
  grpc::Status Call(const std::string& method, const std::string& message = "") {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    grpc::CompletionQueue queue;
    const grpc::Slice slice(message);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    const auto call =
        grpc::GenericStub(channel_).PrepareUnaryCall(&context, method, request, &queue);
    call->StartCall();
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }

  // A call that says nothing. gRPC shows one that has a single request only once that is here.
  class Mute {
   public:
    Mute(const std::shared_ptr<grpc::Channel>& channel, const std::string& method)
        : stub_(channel) {
      context_.set_deadline(std::chrono::system_clock::now() + kPatience);
      call_ = stub_.PrepareCall(&context_, method, &queue_);
      call_->StartCall(this);
      Next();
    }
    ~Mute() {
      context_.TryCancel();
      if (!finished_) Finish();
    }
    grpc::Status Finish() {
      finished_ = true;
      grpc::Status status;
      call_->Finish(&status, this);
      Next();
      return status;
    }

   private:
    void Next() {
      void* tag = nullptr;
      bool ok = false;
      queue_.Next(&tag, &ok);
    }

    grpc::ClientContext context_;
    grpc::GenericStub stub_;
    grpc::CompletionQueue queue_;
    std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
    bool finished_ = false;
  };

  grpc::Status CallUnknown() { return Call("/some.Service/Method"); }

  void LimitOpens(uint32_t most) { config_.max_stream_opens_per_minute = most; }
};

TEST_F(CallsTest, AWatchIsOneOfItsClientsStreamsAsLongAsItStays) {
  config_.max_streams_per_address = 3;
  Serve();
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 3; ++i) {
    watches.push_back(std::make_unique<Watch>(channel_));
    ASSERT_TRUE(watches.back()->Read());
  }
  Watch fourth(channel_);
  EXPECT_FALSE(fourth.Read());
  const grpc::Status status = fourth.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_NE(status.error_message().find("streams_of_address"), std::string::npos)
      << status.error_message();
  AttachClient attached(channel_);
  attached.Send(OpenAllocate('a'));
  EXPECT_FALSE(attached.Receive().has_value());
  // One goes, and another may come, as soon as the relay knows.
  watches.back()->Cancel();
  watches.pop_back();
  while (!Watch(channel_).Read()) std::this_thread::yield();
}

TEST_F(CallsTest, AWatchThatWasRefusedGivesNothingBack) {
  config_.max_streams_per_address = 1;
  Serve();
  Watch first(channel_);
  ASSERT_TRUE(first.Read());
  for (int i = 0; i < 3; ++i) {
    Watch refused(channel_);
    ASSERT_FALSE(refused.Read());
    refused.Finish();
  }
  EXPECT_FALSE(Watch(channel_).Read());
}

// --max-streams-per-connection is gRPC's own limit: a client holds back what is beyond it.
TEST_F(CallsTest, AStreamBeyondThoseOfItsConnectionWaitsUntilAnotherEnds) {
  config_.max_streams_per_connection = 2;
  Serve();
  Watch first(channel_);
  Watch second(channel_);
  EXPECT_TRUE(first.Read());
  EXPECT_TRUE(second.Read());
  // Neither answered nor refused: the relay has not heard of it.
  EXPECT_EQ(Check(std::chrono::milliseconds(500)).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Watch(Connect(server_->address())).Read());  // on a connection of its own
  auto third = std::async(std::launch::async, [this] { return Watch(channel_).Read(); });
  first.Cancel();
  EXPECT_TRUE(third.get());
}

TEST_F(CallsTest, SoIsACallWhoseRequestHasNotCome) {
  config_.max_streams_per_address = 1;
  Serve();
  const Mute watch(channel_, "/grpc.health.v1.Health/Watch");
  // The relay may not have seen it yet.
  while (Watch(channel_).Read()) std::this_thread::yield();
}

// Apart from streams: whoever checks health hears of it also when all of them are taken.
TEST_F(CallsTest, ChecksWhoseRequestHasNotComeCountAmongThemselves) {
  config_.max_streams_per_address = 1;
  Serve();
  Watch only(channel_);
  ASSERT_TRUE(only.Read());
  EXPECT_TRUE(Check().ok());
  std::vector<std::unique_ptr<Mute>> mute;
  while (mute.size() < relay::Admission::kBriefCallsPerAddress) {
    mute.push_back(std::make_unique<Mute>(channel_, "/grpc.health.v1.Health/Check"));
  }
  EXPECT_TRUE(AwaitChecks(false));
  mute.pop_back();
  EXPECT_TRUE(AwaitChecks(true));
}

TEST_F(CallsTest, ACallWhoseRequestDoesNotComeIsEnded) {
  config_.open_timeout = absl::Seconds(1);
  Serve();
  Mute check(channel_, "/grpc.health.v1.Health/Check");
  Mute watch(channel_, "/grpc.health.v1.Health/Watch");
  EXPECT_EQ(check.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(watch.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Check().ok());
}

TEST_F(CallsTest, AHealthCheckOfAnythingElseIsRefused) {
  Serve();
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check", "\xff\xff\xff").error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(Check().ok());
}

TEST_F(CallsTest, WatchesEndWithTheRelayAlsoThoseOfManyClients) {
  Serve();
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 20; ++i) {
    watches.push_back(std::make_unique<Watch>(channel_));
    ASSERT_TRUE(watches.back()->Read());
  }
  EXPECT_TRUE(server_->Drain());
  server_.reset();
}

TEST_F(CallsTest, ChecksCountAmongTheStreamsThatAreOpened) {
  LimitOpens(5);
  Serve();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Check().ok());
  const grpc::Status status = Check();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(status.error_message().find("stream_rate"), std::string::npos)
      << status.error_message();
}

TEST_F(CallsTest, SoDoCallsOfMethodsThatNobodyHas) {
  LimitOpens(5);
  Serve();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(CallUnknown().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
  EXPECT_EQ(CallUnknown().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Check().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(CallsTest, SoDoThoseOfReflection) {
  LimitOpens(5);
  Serve();
  for (int i = 0; i < 5; ++i)
    Call("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  EXPECT_EQ(Check().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// The relay cuts off who goes on.
TEST_F(CallsTest, WhoGoesOnCallingIsCutOff) {
  LimitOpens(5);
  Serve();
  grpc::Status status;
  do {
    status = CallUnknown();
  } while (status.error_code() != grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace wormhole::service_test
