#include "relay/store/etcd/start.h"

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

constexpr absl::Duration kMost = absl::Seconds(20);

class EtcdStartTest : public ::testing::Test {
 protected:
  void Read(const absl::Status& status = absl::OkStatus()) { start_.NoteRead(status, now_); }
  bool End(bool sure) { return start_.TakeEnd(sure, now_); }

  absl::Duration now_ = absl::Hours(5);
  EtcdStart start_{kMost};
};

TEST_F(EtcdStartTest, IsOverOnceWhenAllIsReadAndTheTimeIsSure) {
  EXPECT_FALSE(End(/*sure=*/true)) << "nothing has been read";
  EXPECT_FALSE(start_.has_read());
  Read();
  EXPECT_TRUE(start_.has_read());
  EXPECT_FALSE(End(/*sure=*/false));
  EXPECT_FALSE(start_.is_over());
  EXPECT_TRUE(End(/*sure=*/true));
  EXPECT_TRUE(start_.is_over());
  EXPECT_TRUE(start_.has_read());
  EXPECT_FALSE(End(/*sure=*/true));
}

TEST_F(EtcdStartTest, DoesNotWaitForEverForATimeThatIsSure) {
  Read();
  now_ += kMost - absl::Milliseconds(1);
  EXPECT_FALSE(End(/*sure=*/false));
  now_ += absl::Milliseconds(1);
  EXPECT_TRUE(End(/*sure=*/false));
}

TEST_F(EtcdStartTest, WaitsForAnEtcdThatIsAway) {
  for (const absl::Status& away :
       {absl::UnavailableError("connection refused"), absl::DeadlineExceededError("silent"),
        absl::InternalError(""), absl::UnknownError(""), absl::ResourceExhaustedError("too many"),
        absl::OutOfRangeError("compacted meanwhile"), absl::DataLossError("")}) {
    Read(away);
    EXPECT_FALSE(start_.is_hopeless()) << away;
    now_ += 2 * kMost;  // which counts for nothing
  }
  Read();
  EXPECT_FALSE(End(/*sure=*/false));
  EXPECT_TRUE(End(/*sure=*/true));
}

TEST_F(EtcdStartTest, KnowsWhatWaitingDoesNotMend) {
  for (const absl::Status& refusal :
       {absl::UnauthenticatedError("wrong password"), absl::PermissionDeniedError("other prefix"),
        absl::InvalidArgumentError(""), absl::UnimplementedError("no etcd")}) {
    EtcdStart start(kMost);
    start.NoteRead(absl::UnavailableError("not yet"), now_);
    start.NoteRead(refusal, now_);
    EXPECT_TRUE(start.is_hopeless()) << refusal;
    start.NoteRead(absl::OkStatus(), now_);
    EXPECT_TRUE(start.is_hopeless());
    EXPECT_FALSE(start.TakeEnd(true, now_ + kMost));
  }
}

TEST_F(EtcdStartTest, WhatIsRefusedAfterTheStartIsNoConcernOfIt) {
  Read();
  EXPECT_TRUE(End(/*sure=*/true));
  Read(absl::UnauthenticatedError("the password was changed"));
  EXPECT_FALSE(start_.is_hopeless());
}

}  // namespace
}  // namespace wormhole::relay
