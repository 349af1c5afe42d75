// The library in this process against the relay's binary, as a program uses them.
#include <stdlib.h>

#include <atomic>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/end_to_end/relay_fixture.h"
#include "tests/support/child_process.h"
#include "tests/support/short_lived_exchange.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;

class LibraryTest : public RelayTest {};

std::string IdOf(const std::string& code) { return code.substr(0, code.find('-')); }

// A pair that finishes, with each other's data.
void ExpectPair(Initiator& initiator, Receiver& receiver, const std::string& from_initiator,
                const std::string& from_receiver) {
  EXPECT_EQ(initiator.GetData().value_or("failed"), from_receiver);
  EXPECT_EQ(receiver.GetData().value_or("failed"), from_initiator);
}

TEST_F(LibraryTest, BlockingCalls) {
  StartRelay();
  auto initiator = Initiator::Create(NewOptions(), "from the initiator");
  ASSERT_TRUE(initiator.ok()) << initiator.status();
  const absl::StatusOr<std::string> code = initiator->GetCode();
  ASSERT_TRUE(code.ok()) << code.status();
  auto receiver = Receiver::Create(NewOptions(), *code, "from the receiver");
  ASSERT_TRUE(receiver.ok()) << receiver.status();
  ExpectPair(*initiator, *receiver, "from the initiator", "from the receiver");
  EXPECT_EQ(initiator->GetVerifier().value(), receiver->GetVerifier().value());
  unsigned char key_i[32], key_r[32];
  ASSERT_TRUE(initiator->DeriveKey("test", key_i, sizeof(key_i)).ok());
  ASSERT_TRUE(receiver->DeriveKey("test", key_r, sizeof(key_r)).ok());
  EXPECT_EQ(std::string(key_i, key_i + 32), std::string(key_r, key_r + 32));
  EXPECT_EQ(initiator->Finish(absl::Seconds(30)), absl::OkStatus());
  EXPECT_EQ(receiver->Finish(absl::Seconds(30)), absl::OkStatus());
}

TEST_F(LibraryTest, Callbacks) {
  StartRelay();
  std::promise<absl::StatusOr<std::string>> code, to_initiator, to_receiver;
  auto initiator = Initiator::Create(NewOptions(), "one");
  ASSERT_TRUE(initiator.ok());
  initiator->WhenCode([&](absl::StatusOr<std::string> value) { code.set_value(value); });
  initiator->WhenData([&](absl::StatusOr<std::string> value) { to_initiator.set_value(value); });
  auto receiver = Receiver::Create(NewOptions(), code.get_future().get().value(), "two");
  ASSERT_TRUE(receiver.ok());
  receiver->WhenData([&](absl::StatusOr<std::string> value) { to_receiver.set_value(value); });
  EXPECT_EQ(to_initiator.get_future().get().value(), "two");
  EXPECT_EQ(to_receiver.get_future().get().value(), "one");
}

TEST_F(LibraryTest, ManyAtOnceOverOneClient) {
  StartRelay();
  constexpr int kPairs = 100;
  Options options = NewOptions();
  options.client = Client::Create().value();
  std::vector<Initiator> initiators;
  std::vector<Receiver> receivers;
  for (int i = 0; i < kPairs; ++i) {
    initiators.push_back(Initiator::Create(options, "i" + std::to_string(i)).value());
  }
  for (int i = 0; i < kPairs; ++i) {
    receivers.push_back(
        Receiver::Create(options, initiators[i].GetCode().value(), "r" + std::to_string(i))
            .value());
  }
  for (int i = 0; i < kPairs; ++i) {
    ExpectPair(initiators[i], receivers[i], "i" + std::to_string(i), "r" + std::to_string(i));
  }
}

TEST_F(LibraryTest, AWrongCodeIsToldToBoth) {
  StartRelay();
  auto initiator = Initiator::Create(NewOptions(), "a");
  const std::string code = initiator->GetCode().value();
  const std::string wrong =
      IdOf(code) + (code.find("abandon-zoo") == std::string::npos ? "-abandon-zoo" : "-zoo-zebra");
  auto receiver = Receiver::Create(NewOptions(), wrong, "b");
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kWrongCode);
  EXPECT_EQ(ReasonOf(initiator->GetData().status()), Reason::kWrongCode);
}

TEST_F(LibraryTest, TheThirdIsCrowdedAndTheOthersGoOn) {
  StartRelay();
  Options options = NewOptions();
  std::atomic<int> warnings = 0;
  std::promise<void> warned;
  options.confirm_verifier = true;  // holds the exchange while the third comes
  options.on_progress = [&](const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::kThirdParty && ++warnings == 1) warned.set_value();
  };
  auto initiator = Initiator::Create(options, "a");
  const std::string code = initiator->GetCode().value();
  auto receiver = Receiver::Create(NewOptions(), code, "b");
  ASSERT_TRUE(initiator->GetVerifier().ok());
  auto third = Receiver::Create(NewOptions(), code, "c");
  EXPECT_EQ(ReasonOf(third->GetData().status()), Reason::kCrowded);
  warned.get_future().wait();
  initiator->AcceptVerifier(true);
  ExpectPair(*initiator, *receiver, "a", "b");
}

TEST_F(LibraryTest, NineInitiatorsGetOneDigitEachAndAnotherAppAsWell) {
  StartRelay();
  std::vector<Initiator> initiators;
  std::set<std::string> ids;
  for (int i = 0; i < 9; ++i) {
    initiators.push_back(Initiator::Create(NewOptions(), "").value());
    const std::string id = IdOf(initiators.back().GetCode().value());
    EXPECT_EQ(id.size(), 1u);
    EXPECT_TRUE(ids.insert(id).second) << id << " was given twice";
  }
  auto tenth = Initiator::Create(NewOptions(), "");
  EXPECT_EQ(IdOf(tenth->GetCode().value()).size(), 2u);
  Options other = NewOptions();
  other.app_id = "example.com/another-app";
  auto elsewhere = Initiator::Create(other, "");
  EXPECT_EQ(IdOf(elsewhere->GetCode().value()).size(), 1u);
}

TEST_F(LibraryTest, AChannelExpires) {
  StartRelay({"--channel-ttl-default=3s", "--channel-ttl-max=3s"});
  auto initiator = Initiator::Create(NewOptions(), "a");
  const absl::StatusOr<std::string> code = initiator->GetCode();
  ASSERT_TRUE(code.ok()) << code.status();
  const absl::Status expired = initiator->GetData().status();
  EXPECT_EQ(ReasonOf(expired), Reason::kNoSuchCode) << expired;
  auto receiver = Receiver::Create(NewOptions(), *code, "b");
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kNoSuchCode);
}

TEST_F(LibraryTest, ARelayThatIsKilledWhileTheyWait) {
  StartRelay();
  auto initiator = Initiator::Create(NewOptions(), "a");
  const std::string code = initiator->GetCode().value();
  KillRelay();
  auto receiver = Receiver::Create(NewOptions(), code, "b");
  StartRelay();
  ExpectPair(*initiator, *receiver, "a", "b");
}

TEST_F(LibraryTest, ARelayThatIsKilledInTheMiddle) {
  StartRelay();
  Options options = NewOptions();
  options.confirm_verifier = true;
  auto initiator = Initiator::Create(options, "a");
  auto receiver = Receiver::Create(NewOptions(), initiator->GetCode().value(), "b");
  ASSERT_TRUE(initiator->GetVerifier().ok());
  KillRelay();
  initiator->AcceptVerifier(true);
  StartRelay();
  ExpectPair(*initiator, *receiver, "a", "b");
}

TEST_F(LibraryTest, AReceiverThatComesFirst) {
  StartRelay();
  Options options = NewOptions();
  options.wait = true;
  std::promise<void> waiting;
  std::atomic<bool> told = false;
  options.on_progress = [&](const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::kWaiting && !told.exchange(true)) waiting.set_value();
  };
  auto receiver = Receiver::Create(options, "77-abandon-zoo", "b");
  waiting.get_future().wait();
  Options agreed = NewOptions();
  agreed.code = "77-abandon-zoo";
  auto initiator = Initiator::Create(agreed, "a");
  ExpectPair(*initiator, *receiver, "a", "b");
}

// A program that a page shows, which finds the relay in the environment.
class ExamplesTest : public RelayTest {
 protected:
  std::unique_ptr<ChildProcess> Run(const char* program, std::vector<std::string> words) {
    words.insert(words.begin(), getenv(program));
    return std::make_unique<ChildProcess>(
        ChildProcess::Options{.arguments = std::move(words),
                              .environment = {{"WORMHOLE_RENDEZVOUS", address()}},
                              .close_input = false});
  }
};

TEST_F(ExamplesTest, OfTheReadme) {
  StartRelay();
  constexpr char kProgram[] = "WORMHOLE_README_EXAMPLE";
  auto show = Run(kProgram, {"show"});
  auto use = Run(kProgram, {"use", show->WaitForLine(ChildProcess::kOut, "tell the other side: ")});
  EXPECT_EQ(use->WaitForExit(), 0) << use->err();
  EXPECT_EQ(use->out(), "they say: hello from the initiator\n");
  EXPECT_EQ(show->WaitForExit(), 0) << show->err();
  EXPECT_THAT(show->out(), HasSubstr("they say: hello from the receiver\n"));
  auto callbacks = Run(kProgram, {"callbacks"});
  EXPECT_EQ(callbacks->WaitForExit(), 0) << callbacks->err();
}

TEST_F(ExamplesTest, TheFirstExchangeOfTheGuide) {
  StartRelay();
  constexpr char kProgram[] = "WORMHOLE_FIRST_EXCHANGE";
  auto show = Run(kProgram, {});
  auto use = Run(kProgram, {show->WaitForLine(ChildProcess::kOut, "tell the other side: ")});
  EXPECT_EQ(use->WaitForExit(), 0) << use->err();
  EXPECT_EQ(use->out(), "they say: hello from the initiator\n");
  EXPECT_EQ(show->WaitForExit(), 0) << show->err();
  EXPECT_THAT(show->out(), HasSubstr("they say: hello from the receiver\n"));
}

TEST_F(ExamplesTest, OfTheGuide) {
  StartRelay();
  constexpr char kProgram[] = "WORMHOLE_GUIDE_EXAMPLE";
  auto callbacks = Run(kProgram, {"callbacks"});
  callbacks->WriteInput(callbacks->WaitForLine(ChildProcess::kOut, "code: ") + "\n");
  EXPECT_EQ(callbacks->WaitForExit(), 0) << callbacks->err();
  auto saved = Run(kProgram, {"saved", PathOf("exchange.state")});
  EXPECT_EQ(saved->WaitForExit(), 0) << saved->err();
  auto many = Run(kProgram, {"many"});
  EXPECT_EQ(many->WaitForExit(), 0) << many->err();
  auto refused = Run(kProgram, {"refused"});
  EXPECT_EQ(refused->WaitForExit(), 0) << refused->err();
  EXPECT_THAT(refused->out(), HasSubstr("the bearer token has white space"));
  EXPECT_THAT(refused->out(), HasSubstr("not the right code"));
}

TEST_F(LibraryTest, TheTimeoutReachesEveryWaiter) {
  StartRelay();
  auto short_lived = MakeShortLivedExchange(NewOptions());
  ASSERT_TRUE(short_lived.ok()) << short_lived.status();
  Initiator& initiator = short_lived->initiator;
  std::promise<absl::StatusOr<std::string>> by_callback;
  initiator.WhenData([&](absl::StatusOr<std::string> value) { by_callback.set_value(value); });
  EXPECT_EQ(ReasonOf(initiator.GetData().status()), Reason::kTimeout);
  EXPECT_EQ(ReasonOf(by_callback.get_future().get().status()), Reason::kTimeout);
  // The channel was closed, so the code is gone.
  EXPECT_EQ(initiator.Finish(absl::Seconds(30)), absl::OkStatus());
  auto receiver = Receiver::Create(NewOptions(), short_lived->code, "b");
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kNoSuchCode);
}

}  // namespace
}  // namespace wormhole::testing
