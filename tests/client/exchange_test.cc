// Whole exchanges through the shipped client and switchboard, without gRPC.
#include <array>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/in_process_relay.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using ::testing::MatchesRegex;

class ExchangeTest : public ::testing::Test {
 protected:
  Options NewOptions() { return InProcessRelay::OptionsFor(client_); }

  InProcessRelay relay_;
  std::shared_ptr<Client> client_ = relay_.MakeClient();
};

TEST_F(ExchangeTest, BothSidesGetEachOthersData) {
  auto initiator = Initiator::Create(NewOptions(), "from the initiator");
  ASSERT_TRUE(initiator.ok()) << initiator.status();
  const auto code = initiator->GetCode();
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_THAT(*code, MatchesRegex("[1-9]-[a-z]+-[a-z]+"));
  auto receiver = Receiver::Create(NewOptions(), *code, "from the receiver");
  ASSERT_TRUE(receiver.ok()) << receiver.status();
  EXPECT_EQ(initiator->GetData().value(), "from the receiver");
  EXPECT_EQ(receiver->GetData().value(), "from the initiator");
  EXPECT_EQ(initiator->GetVerifier().value(), receiver->Verifier().value());

  std::array<unsigned char, 32> ours, theirs;
  EXPECT_EQ(initiator->DeriveKey("file", ours.data(), ours.size()), absl::OkStatus());
  EXPECT_EQ(receiver->DeriveKey("file", theirs.data(), theirs.size()), absl::OkStatus());
  EXPECT_EQ(ours, theirs);

  EXPECT_EQ(initiator->Finish(), absl::OkStatus());
  EXPECT_EQ(receiver->Finish(), absl::OkStatus());
}

TEST_F(ExchangeTest, EmptyAndLongestData) {
  const std::string longest(65'000, 'x');
  auto initiator = Initiator::Create(NewOptions(), "");
  ASSERT_TRUE(initiator.ok());
  auto receiver = Receiver::Create(NewOptions(), initiator->GetCode().value(), longest);
  ASSERT_TRUE(receiver.ok());
  EXPECT_EQ(initiator->GetData().value(), longest);
  EXPECT_EQ(receiver->GetData().value(), "");
}

TEST_F(ExchangeTest, AWrongCodeIsToldToBoth) {
  Options options = NewOptions();
  options.code = "7-purple-sausages";
  options.allow_other_words = true;
  auto initiator = Initiator::Create(options, "secret");
  ASSERT_TRUE(initiator.ok()) << initiator.status();
  ASSERT_TRUE(initiator->GetCode().ok());
  options.code.clear();
  auto receiver = Receiver::Create(options, "7-purple-cabbages", "secret");
  ASSERT_TRUE(receiver.ok()) << receiver.status();
  EXPECT_EQ(ReasonOf(initiator->GetData().status()), Reason::kWrongCode);
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kWrongCode);
  EXPECT_EQ(initiator->GetVerifier().status().code(), absl::StatusCode::kUnauthenticated);
  std::array<unsigned char, 32> key;
  EXPECT_EQ(receiver->DeriveKey("file", key.data(), key.size()).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ExchangeTest, AThirdIsCrowdedAndTheMembersLearnOfIt) {
  Options options = NewOptions();
  Signal warned;
  options.on_progress = [&](const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::kThirdParty) warned.Notify();
  };
  options.confirm_verifier = true;  // so that the exchange is still going on
  auto initiator = Initiator::Create(options, "a");
  const std::string code = initiator->GetCode().value();
  options.on_progress = nullptr;
  auto receiver = Receiver::Create(options, code, "b");
  ASSERT_TRUE(receiver->GetVerifier().ok());
  auto third = Receiver::Create(options, code, "c");
  EXPECT_EQ(ReasonOf(third->GetData().status()), Reason::kCrowded);
  warned.Await();
  ASSERT_TRUE(initiator->GetVerifier().ok());
  initiator->AcceptVerifier(true);
  receiver->AcceptVerifier(true);
  EXPECT_EQ(initiator->GetData().value(), "b");
  EXPECT_EQ(receiver->GetData().value(), "a");
}

TEST_F(ExchangeTest, ARefusedVerifierEndsBothSides) {
  Options options = NewOptions();
  options.confirm_verifier = true;
  auto initiator = Initiator::Create(options, "a");
  auto receiver = Receiver::Create(NewOptions(), initiator->GetCode().value(), "b");
  ASSERT_TRUE(initiator->GetVerifier().ok());
  ASSERT_TRUE(receiver->GetVerifier().ok());
  initiator->AcceptVerifier(false);
  EXPECT_EQ(ReasonOf(initiator->GetData().status()), Reason::kCancelled);
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kPeerGaveUp);
}

TEST_F(ExchangeTest, NoSuchCode) {
  auto receiver = Receiver::Create(NewOptions(), "7-abandon-ability", "b");
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kNoSuchCode);
  EXPECT_EQ(receiver->Finish(), absl::OkStatus());
}

TEST_F(ExchangeTest, AReceiverMayComeFirst) {
  Options options = NewOptions();
  options.wait = true;
  auto receiver = Receiver::Create(options, "23-abandon-ability", "b");
  relay_.transport().AwaitOpened(1);
  options.code = "23-abandon-ability";
  auto initiator = Initiator::Create(options, "a");
  EXPECT_EQ(initiator->GetCode().value(), "23-abandon-ability");
  EXPECT_EQ(initiator->GetData().value(), "b");
  EXPECT_EQ(receiver->GetData().value(), "a");
}

// What people make of a code is no part of the secret, whichever side they are on.
TEST_F(ExchangeTest, CodesAreTakenAsTheyAreTyped) {
  Options options = NewOptions();
  options.code = "\u201c023 Abandon \u2013 ability.\u201d";
  auto initiator = Initiator::Create(options, "a");
  ASSERT_TRUE(initiator.ok()) << initiator.status();
  EXPECT_EQ(initiator->GetCode().value(), "23-abandon-ability");
  auto receiver =
      Receiver::Create(NewOptions(), "Invitation code: 23\u2011abandon\u2011ability\n", "b");
  ASSERT_TRUE(receiver.ok()) << receiver.status();
  EXPECT_EQ(initiator->GetData().value(), "b");
  EXPECT_EQ(receiver->GetData().value(), "a");
}

TEST_F(ExchangeTest, CheckInModeNeedsThemNeverTogether) {
  Options options = NewOptions();
  options.check_in = true;
  auto initiator = Initiator::Create(options, "a");
  auto receiver = Receiver::Create(options, initiator->GetCode().value(), "b");
  EXPECT_EQ(initiator->GetData().value(), "b");
  EXPECT_EQ(receiver->GetData().value(), "a");
}

TEST_F(ExchangeTest, ACutNetworkIsSurvived) {
  auto initiator = Initiator::Create(NewOptions(), "a");
  const std::string code = initiator->GetCode().value();
  relay_.transport().CutAll();
  auto receiver = Receiver::Create(NewOptions(), code, "b");
  relay_.transport().CutAll();
  EXPECT_EQ(initiator->GetData().value(), "b");
  EXPECT_EQ(receiver->GetData().value(), "a");
}

TEST_F(ExchangeTest, ARelayThatComesLateIsFound) {
  relay_.transport().SetReachable(false);
  auto initiator = Initiator::Create(NewOptions(), "a");
  relay_.transport().AwaitOpened(3);
  relay_.transport().SetReachable(true);
  EXPECT_TRUE(initiator->GetCode().ok());
}

TEST_F(ExchangeTest, AnUnreachableRelayIsNamed) {
  relay_.transport().SetReachable(false);
  Options options = NewOptions();
  options.rendezvous = "localhost:1234";
  options.timeout = absl::Milliseconds(100);
  auto initiator = Initiator::Create(options, "a");
  const absl::Status status = initiator->GetCode().status();
  EXPECT_EQ(ReasonOf(status), Reason::kUnreachable);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("localhost:1234"));
}

}  // namespace
}  // namespace wormhole::testing
