// What clients hear when the relay's file is an older one than they know: deploy/README.md has the
// same as a table. Each case stops an exchange at one moment, rolls the file back to an earlier
// one, and lets the exchange go on.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "client/client_access.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "proto/error/error_detail.h"
#include "tests/end_to_end/backup_fixture.h"
#include "tests/end_to_end/cursor_transport.h"
#include "tests/support/attach_client.h"
#include "tests/support/signal.h"

namespace wormhole::testing {
namespace {

using error::ErrorDetail;
using service_test::AttachClient;
using ::testing::AnyOf;

// With each word of it in one code and not in the other.
constexpr char kCode[] = "77-abandon-zoo";
constexpr char kSameNumber[] = "77-zebra-ability";

class RolledBackTest : public BackupTest {
 protected:
  // One that stops when the key is confirmed, until AcceptVerifier.
  Options Holding() const {
    Options options = NewOptions();
    options.confirm_verifier = true;
    return options;
  }

  // Calls `then` once, before the exchange does what comes with the first state of which `is` is
  // true.
  static void BeforeState(Options& options, std::function<bool(const nlohmann::json&)> is,
                          std::function<void()> then) {
    auto done = std::make_shared<std::atomic<bool>>(false);
    options.on_save = [is = std::move(is), then = std::move(then), done](std::string_view state) {
      if (!is(nlohmann::json::parse(state)) || done->exchange(true)) return absl::OkStatus();
      then();
      return absl::OkStatus();
    };
  }
};

// --- The file is from before the channel was allocated.

TEST_F(RolledBackTest, WhoHasANewerChannelHearsThatItIsUnknown) {
  StartRelay();
  const std::string copy = Backup();
  auto waiting = Initiator::Create(NewOptions(), "a");
  const std::string code = waiting->GetCode().value();
  auto initiator = Initiator::Create(Holding(), "a");
  auto receiver = Receiver::Create(Holding(), initiator->GetCode().value(), "b");
  ASSERT_TRUE(initiator->GetVerifier().ok());
  ASSERT_TRUE(receiver->GetVerifier().ok());
  RollBack(copy);
  for (const absl::Status& end :
       {waiting->GetData().status(), initiator->GetData().status(), receiver->GetData().status()}) {
    EXPECT_EQ(ReasonOf(end), Reason::kNoSuchCode) << end;
  }
  auto late = Receiver::Create(NewOptions(), code, "b");
  EXPECT_EQ(ReasonOf(late->GetData().status()), Reason::kNoSuchCode);
  ExpectToServe();
}

TEST_F(RolledBackTest, WhoseNumberWasGivenToOthersIsNoMember) {
  StartRelay();
  const std::string copy = Backup();
  Options agreed = NewOptions();
  agreed.code = kCode;
  std::string state;
  {
    auto initiator = Initiator::Create(agreed, "a");
    ASSERT_TRUE(initiator->GetCode().ok());
    state = initiator->Serialize().value();
  }
  RollBack(copy);
  agreed.code = kSameNumber;
  auto stranger = Initiator::Create(agreed, "not for you");
  ASSERT_EQ(stranger->GetCode().value(), kSameNumber);
  auto initiator = Initiator::FromSerialized(state, NewOptions());
  const absl::Status refused = initiator->GetData().status();
  EXPECT_EQ(ReasonOf(refused), Reason::kNoSuchCode) << refused;
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound) << refused;
  // The stranger goes on, and finds its own peer.
  auto receiver = Receiver::Create(NewOptions(), kSameNumber, "b");
  EXPECT_EQ(stranger->GetData().value_or("failed"), "b");
  EXPECT_EQ(receiver->GetData().value_or("failed"), "not for you");
}

TEST_F(RolledBackTest, AnOldCodeIsAWrongCodeAtItsNumbersNewOwner) {
  StartRelay();
  const std::string copy = Backup();
  Options agreed = NewOptions();
  agreed.code = kCode;
  ASSERT_TRUE(Initiator::Create(agreed, "a")->GetCode().ok());
  RollBack(copy);
  agreed.code = kSameNumber;
  auto stranger = Initiator::Create(agreed, "not for you");
  ASSERT_TRUE(stranger->GetCode().ok());
  auto receiver = Receiver::Create(NewOptions(), kCode, "b");
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kWrongCode);
  EXPECT_EQ(ReasonOf(stranger->GetData().status()), Reason::kWrongCode);
}

// --- From before the claim.

TEST_F(RolledBackTest, WhoClaimedLaterIsNoMember) {
  StartRelay();
  auto initiator = Initiator::Create(Holding(), "a");
  const std::string code = initiator->GetCode().value();
  const std::string copy = Backup();
  auto receiver = Receiver::Create(NewOptions(), code, "b");
  ASSERT_TRUE(initiator->GetVerifier().ok());
  ASSERT_TRUE(receiver->GetVerifier().ok());  // before, it would be told of a guess
  RollBack(copy);
  const absl::Status refused = receiver->GetData().status();
  EXPECT_EQ(ReasonOf(refused), Reason::kNoSuchCode) << refused;
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound) << refused;
  // The initiator is a member, and waits for a peer that is none. The code does not help another
  // one: it has been used.
  auto second = Receiver::Create(NewOptions(), code, "c");
  EXPECT_EQ(ReasonOf(second->GetData().status()), Reason::kWrongCode);
  EXPECT_EQ(ReasonOf(initiator->GetData().status()), Reason::kAborted);
  ExpectToServe();
}

TEST_F(RolledBackTest, WhoIsLeftAloneCanGiveUp) {
  StartRelay();
  auto initiator = Initiator::Create(Holding(), "a");
  const std::string code = initiator->GetCode().value();
  const std::string copy = Backup();
  auto receiver = Receiver::Create(NewOptions(), code, "b");
  ASSERT_TRUE(initiator->GetVerifier().ok());
  RollBack(copy, /*killed=*/true);
  ASSERT_FALSE(receiver->GetData().ok());
  initiator->AcceptVerifier(true);
  initiator->Cancel();
  EXPECT_EQ(ReasonOf(initiator->GetData().status()), Reason::kCancelled);
  EXPECT_EQ(initiator->Finish(absl::Seconds(30)), absl::OkStatus());
}

// --- From before some frames.

TEST_F(RolledBackTest, FramesThatAreMissingArePostedAgain) {
  for (const bool killed : {false, true}) {
    StartRelay();
    std::string copy;
    Signal claimed, backed_up;
    Options options = NewOptions();
    BeforeState(
        options, [](const nlohmann::json& state) { return state["cursor"] == 1; },
        [&] {
          claimed.Notify();
          backed_up.Await();
        });
    auto initiator = Initiator::Create(Holding(), "a");
    auto receiver = Receiver::Create(options, initiator->GetCode().value(), "b");
    claimed.Await();
    copy = Backup();
    backed_up.Notify();
    ASSERT_TRUE(initiator->GetVerifier().ok());
    ASSERT_TRUE(receiver->GetVerifier().ok());
    RollBack(copy, killed);
    initiator->AcceptVerifier(true);
    EXPECT_EQ(initiator->GetData().value_or("failed"), "b");
    EXPECT_EQ(receiver->GetData().value_or("failed"), "a");
    EXPECT_EQ(initiator->Finish(absl::Seconds(30)), absl::OkStatus());
    EXPECT_EQ(receiver->Finish(absl::Seconds(30)), absl::OkStatus());
    StopRelay();
  }
}

// After each reader had said what it has, which a new stream does, an author has let go of it.
TEST_F(RolledBackTest, WhatAnAuthorHasLetGoOfIsStaleState) {
  StartRelay();
  Signal claimed, backed_up;
  Options options = Holding();
  BeforeState(
      options, [](const nlohmann::json& state) { return state["cursor"] == 1; },
      [&] {
        claimed.Notify();
        backed_up.Await();
      });
  Options holding = Holding();
  auto of_initiator = std::make_shared<CursorTransport>();
  auto of_receiver = std::make_shared<CursorTransport>();
  holding.client = ClientAccess::WithTransport(of_initiator).value();
  options.client = ClientAccess::WithTransport(of_receiver).value();
  auto initiator = Initiator::Create(holding, "a");
  auto receiver = Receiver::Create(options, initiator->GetCode().value(), "b");
  claimed.Await();
  const std::string copy = Backup();
  backed_up.Notify();
  ASSERT_TRUE(initiator->GetVerifier().ok());
  ASSERT_TRUE(receiver->GetVerifier().ok());
  KillRelay();
  StartRelay();
  of_initiator->Await(2);
  of_receiver->Await(1);
  RollBack(copy);
  const absl::Status ends[] = {initiator->GetData().status(), receiver->GetData().status()};
  // Who comes first closes, and the other may hear of that before its own Opened.
  for (const absl::Status& end : ends) {
    EXPECT_THAT(ReasonOf(end), AnyOf(Reason::kStaleState, Reason::kAborted)) << end;
  }
  EXPECT_TRUE(ReasonOf(ends[0]) == Reason::kStaleState || ReasonOf(ends[1]) == Reason::kStaleState);
  ExpectToServe();
}

TEST_F(RolledBackTest, WhatAReaderHasBeyondTheFileIsRememberedAndNotSentAgain) {
  using namespace service_test;  // NOLINT: requests
  StartRelay();
  std::string copy;
  {
    AttachClient author(Connect(address()));
    ASSERT_TRUE(author.Send(OpenAllocate('i', 5)));
    ASSERT_TRUE(author.ReceiveNews()->has_opened());
    AttachClient reader(Connect(address()));
    ASSERT_TRUE(reader.Send(OpenClaim('r', 5)));
    ASSERT_TRUE(reader.ReceiveNews()->has_opened());
    copy = Backup();
    for (const uint64_t number : {1, 2}) {
      ASSERT_TRUE(author.Send(Post(number, "frame")));
      ASSERT_EQ(author.ReceiveNews()->posted().number(), number);
      ASSERT_EQ(reader.ReceiveNews()->message().number(), number);
    }
    ASSERT_TRUE(reader.Send(Ack(2)));
  }
  RollBack(copy);
  AttachClient reader(Connect(address()));
  ASSERT_TRUE(reader.Send(OpenResume('r', 5, /*cursor=*/2)));
  EXPECT_EQ(reader.ReceiveNews()->opened().peer_stored(), 0u);
  AttachClient author(Connect(address()));
  ASSERT_TRUE(author.Send(OpenResume('i', 5)));
  auto told = author.Receive();
  EXPECT_EQ(told->opened().stored(), 0u);
  // What a reader says with its open is stored behind its Opened.
  while (told->opened().peer_cursor() != 2 && told->peer_status().peer_cursor() != 2) {
    told = author.Receive();
    ASSERT_TRUE(told.has_value());
  }
  for (const uint64_t number : {1, 2, 3}) {
    ASSERT_TRUE(author.Send(Post(number, "frame")));
    EXPECT_EQ(author.ReceiveNews()->posted().number(), number);
  }
  EXPECT_EQ(reader.ReceiveNews()->message().number(), 3u);
}

// --- From before an end.

TEST_F(RolledBackTest, WhoHasFinishedHasItsDataAndMayCloseAgain) {
  StartRelay();
  auto initiator = Initiator::Create(Holding(), "a");
  auto receiver = Receiver::Create(NewOptions(), initiator->GetCode().value(), "b");
  ASSERT_TRUE(initiator->GetVerifier().ok());
  ASSERT_TRUE(receiver->GetVerifier().ok());
  const std::string copy = Backup();
  initiator->AcceptVerifier(true);
  ASSERT_EQ(initiator->GetData().value(), "b");
  ASSERT_EQ(receiver->GetData().value(), "a");
  const std::string state = receiver->Serialize().value();
  RollBack(copy);
  auto again = Receiver::FromSerialized(state, NewOptions());
  EXPECT_EQ(again->GetData().value_or("failed"), "a");
  EXPECT_EQ(again->Finish(absl::Seconds(30)), absl::OkStatus());
  ExpectToServe();
}

// The last frame of a side that has finished since is gone with it.
TEST_F(RolledBackTest, WhoseFinishedPeersLastFrameIsLostWaitsUntilItGivesUp) {
  StartRelay();
  std::string state;
  Options options = NewOptions();
  options.on_save = [&](std::string_view next) {
    if (nlohmann::json::parse(next)["cursor"] == 2) return absl::UnavailableError("crashed here");
    state = std::string(next);
    return absl::OkStatus();
  };
  auto initiator = Initiator::Create(options, "a");
  auto receiver = Receiver::Create(Holding(), initiator->GetCode().value(), "b");
  ASSERT_TRUE(receiver->GetVerifier().ok());
  const std::string copy = Backup();
  receiver->AcceptVerifier(true);
  ASSERT_EQ(receiver->GetData().value(), "a");
  ASSERT_EQ(receiver->Finish(absl::Seconds(30)), absl::OkStatus());
  ASSERT_EQ(ReasonOf(initiator->GetData().status()), Reason::kSaveFailed);
  RollBack(copy);
  Signal alone;
  options = NewOptions();
  options.on_progress = [&](const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::kWaiting) alone.Notify();
  };
  auto again = Initiator::FromSerialized(state, options);
  alone.Await();
  again->Cancel();
  EXPECT_EQ(ReasonOf(again->GetData().status()), Reason::kCancelled);
  EXPECT_EQ(again->Finish(absl::Seconds(30)), absl::OkStatus());
}

// An ended channel is back: its number is taken until its time is over, and lets nobody in.
TEST_F(RolledBackTest, AChannelThatHadEndedIsBackUntilItsTimeIsOver) {
  using namespace service_test;  // NOLINT: requests
  StartRelay();
  auto open = [this](const AttachRequest& request) {
    auto client = std::make_unique<AttachClient>(Connect(address()));
    EXPECT_TRUE(client->Send(request));
    return client;
  };
  auto initiator = open(OpenAllocate('i', 5));
  ASSERT_TRUE(initiator->ReceiveNews()->has_opened());
  auto receiver = open(OpenClaim('r', 5));
  ASSERT_TRUE(receiver->ReceiveNews()->has_opened());
  const std::string copy = Backup();
  ASSERT_TRUE(initiator->Send(Close(rendezvous::v1::MOOD_SCARY)));
  ASSERT_EQ(initiator->Finish(), absl::OkStatus());
  ASSERT_EQ(error::ReasonOf(receiver->Finish()), ErrorDetail::REASON_CLOSED);
  RollBack(copy);
  EXPECT_EQ(error::ReasonOf(open(OpenAllocate('x', 5))->Finish()), ErrorDetail::REASON_TAKEN);
  EXPECT_EQ(error::ReasonOf(open(OpenClaim('x', 5))->Finish()), ErrorDetail::REASON_CROWDED);
  EXPECT_EQ(error::ReasonOf(open(OpenResume('x', 5))->Finish()), ErrorDetail::REASON_NOT_MEMBER);
  auto again = open(OpenResume('i', 5));
  EXPECT_TRUE(again->ReceiveNews()->has_opened());
  ASSERT_TRUE(again->Send(Close(rendezvous::v1::MOOD_SCARY)));
  EXPECT_EQ(again->Finish(), absl::OkStatus());
  EXPECT_EQ(error::ReasonOf(open(OpenResume('r', 5))->Finish()), ErrorDetail::REASON_CLOSED);
}

}  // namespace
}  // namespace wormhole::testing
