#include "client/stream/grpc_closer.h"

#include <pthread.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Clock = std::chrono::steady_clock;

Clock::time_point Patience() { return Clock::now() + std::chrono::minutes(1); }

// While one lives no thread can be started: each would have a stack that no machine has.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, size_t{1} << 46);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t before_;
};

class GrpcCloserTest : public testing::Test {
 protected:
  const std::shared_ptr<sync::Threads> threads_ = std::make_shared<sync::Threads>();
  const std::shared_ptr<GrpcCloser> closer_ = std::make_shared<GrpcCloser>(threads_);
};

TEST_F(GrpcCloserTest, ClosesElsewhere) {
  EXPECT_THAT(closer_->AwaitClosed({}), IsEmpty());
  closer_->NoteOpen();
  EXPECT_THAT(closer_->AwaitClosed({}), HasSubstr("are being closed (1)"));
  std::thread::id closed_on;
  closer_->Close([&] { closed_on = std::this_thread::get_id(); });
  EXPECT_THAT(closer_->AwaitClosed(Patience()), IsEmpty());
  EXPECT_NE(closed_on, std::thread::id());
  EXPECT_NE(closed_on, std::this_thread::get_id());
}

TEST_F(GrpcCloserTest, WithoutAThreadWhoeverWaitsCloses) {
  closer_->NoteOpen();
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> thing = held;
  {
    const NoThreads no_threads;
    ASSERT_FALSE(threads_->Start("none", [] {}));
    closer_->Close([held = std::move(held)]() mutable { held = nullptr; });
  }
  EXPECT_FALSE(thing.expired());
  EXPECT_THAT(closer_->AwaitClosed({}), HasSubstr("are being closed (1)"));  // begins nothing
  EXPECT_FALSE(thing.expired());
  EXPECT_THAT(closer_->AwaitClosed(Patience()), IsEmpty());
  EXPECT_TRUE(thing.expired());
}

// Nobody in this process uses gRPC, so that no attempt can be left.
TEST_F(GrpcCloserTest, AnAttemptEndsWithGrpc) {
  closer_->NoteEnding(GrpcCloser::kAttempt);
  EXPECT_THAT(closer_->AwaitClosed({}), IsEmpty());
}

}  // namespace
}  // namespace wormhole
