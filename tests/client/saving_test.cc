// The save hook and saved states.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/in_process_relay.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

class SavingTest : public ::testing::Test {
 protected:
  Options NewOptions() { return InProcessRelay::OptionsFor(client_); }
  Options SavingOptions(Collector<std::string>* states) {
    Options options = NewOptions();
    options.on_save = [states](std::string_view state) {
      states->Add(std::string(state));
      return absl::OkStatus();
    };
    return options;
  }

  InProcessRelay relay_;
  std::shared_ptr<Client> client_ = relay_.MakeClient();
};

TEST_F(SavingTest, SavesBeforeTheFirstOpen) {
  Options options = NewOptions();
  Collector<size_t> opened_before;
  options.on_save = [&](std::string_view) {
    opened_before.Add(relay_.transport().opened());
    return absl::OkStatus();
  };
  auto initiator = Initiator::Create(options, "a").value();
  ASSERT_TRUE(initiator.GetCode().ok());
  EXPECT_EQ(opened_before.values().front(), 0u);
  EXPECT_GE(opened_before.values().size(), 2u);  // and before it gives out the code
}

TEST_F(SavingTest, AHookThatFailsAtOnceSendsNothing) {
  Options options = NewOptions();
  const absl::Status full = absl::ResourceExhaustedError("disk full");
  options.on_save = [&](std::string_view) { return full; };
  auto initiator = Initiator::Create(options, "a").value();
  for (const absl::Status& status : {initiator.GetCode().status(), initiator.GetVerifier().status(),
                                     initiator.GetData().status()}) {
    EXPECT_EQ(status.code(), full.code());
    EXPECT_EQ(ReasonOf(status), Reason::kSaveFailed);
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("disk full"));
  }
  EXPECT_EQ(relay_.transport().opened(), 0u);
}

// At each save in turn: the exchange stops, closes nothing, and goes on from the last state that
// was stored.
TEST_F(SavingTest, AnyFailedSaveIsSurvived) {
  for (size_t failing = 1; failing < 20; ++failing) {
    Collector<std::string> states;
    Options options = NewOptions();
    options.on_save = [&](std::string_view state) -> absl::Status {
      if (states.values().size() >= failing) return absl::DataLossError("disk gone");
      states.Add(std::string(state));
      return absl::OkStatus();
    };
    auto initiator = std::make_optional(Initiator::Create(options, "a").value());
    absl::StatusOr<std::string> code = initiator->GetCode();
    if (!code.ok()) {
      initiator = Initiator::FromSerialized(states.values().back(), NewOptions()).value();
      code = initiator->GetCode();
    }
    auto receiver = Receiver::Create(NewOptions(), code.value(), "b").value();
    absl::StatusOr<std::string> data = initiator->GetData();
    if (!data.ok()) {
      EXPECT_EQ(ReasonOf(data.status()), Reason::kSaveFailed) << data.status();
      initiator = Initiator::FromSerialized(states.values().back(), NewOptions()).value();
      data = initiator->GetData();
    }
    ASSERT_EQ(data.value(), "b") << failing;
    ASSERT_EQ(receiver.GetData().value(), "a") << failing;
    if (states.values().size() < failing) return;  // the exchange needs no more saves than that
  }
  ADD_FAILURE() << "an exchange saved twenty times";
}

TEST_F(SavingTest, EveryStateThatWasSavedIsOneToGoOnFrom) {
  Collector<std::string> states;
  auto initiator = std::make_optional(Initiator::Create(SavingOptions(&states), "a").value());
  auto receiver =
      Receiver::Create(SavingOptions(&states), initiator->GetCode().value(), "b").value();
  ASSERT_TRUE(initiator->GetData().ok());
  ASSERT_TRUE(receiver.GetData().ok());
  ASSERT_EQ(initiator->Finish(), absl::OkStatus());
  for (const std::string& state : states.values()) EXPECT_TRUE(RoleOf(state).ok());
  // The last ones are finished: they say the same again, but for the code.
  Collector<absl::Status> codes;
  auto first = Initiator::FromSerialized(initiator->Serialize().value(), NewOptions());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->GetCode().status().code(), absl::StatusCode::kFailedPrecondition);
  first->WhenCode([&](const absl::StatusOr<std::string>& code) { codes.Add(code.status()); });
  EXPECT_EQ(codes.Await(1).front().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(first->GetData().value(), "b");
  auto again = Receiver::FromSerialized(receiver.Serialize().value(), NewOptions());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->GetData().value(), "a");
}

TEST_F(SavingTest, SerializeInEveryState) {
  relay_.transport().SetReachable(false);
  auto initiator = Initiator::Create(NewOptions(), "a").value();
  EXPECT_EQ(RoleOf(initiator.Serialize().value()).value(), SavedRole::kInitiator);
  relay_.transport().SetReachable(true);
  const std::string code = initiator.GetCode().value();
  EXPECT_TRUE(RoleOf(initiator.Serialize().value()).ok());
  auto receiver = Receiver::Create(NewOptions(), code, "b").value();
  EXPECT_EQ(RoleOf(receiver.Serialize().value()).value(), SavedRole::kReceiver);
  ASSERT_TRUE(initiator.GetData().ok());
  EXPECT_TRUE(initiator.Serialize().ok());
  ASSERT_EQ(initiator.Finish(), absl::OkStatus());
  EXPECT_TRUE(initiator.Serialize().ok());

  auto cancelled = Initiator::Create(NewOptions(), "a").value();
  cancelled.Cancel();
  EXPECT_FALSE(cancelled.GetData().ok());
  EXPECT_TRUE(cancelled.Serialize().ok());
}

TEST_F(SavingTest, SealedStates) {
  const std::array<unsigned char, 32> key = {1, 2, 3}, other = {4};
  std::string sealed, code;
  {
    auto initiator = Initiator::Create(NewOptions(), "a").value();
    code = initiator.GetCode().value();
    sealed = initiator.SerializeSealed(key.data(), key.size()).value();
    EXPECT_EQ(initiator.SerializeSealed(key.data(), 16).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(sealed.find("words"), std::string::npos);
  for (const auto& status :
       {Initiator::FromSealed(sealed, other.data(), other.size(), NewOptions()).status(),
        Initiator::FromSealed(sealed, key.data(), 31, NewOptions()).status(),
        Initiator::FromSealed("", key.data(), key.size(), NewOptions()).status(),
        Receiver::FromSealed(sealed, key.data(), key.size(), NewOptions()).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  }
  auto initiator = Initiator::FromSealed(sealed, key.data(), key.size(), NewOptions());
  ASSERT_TRUE(initiator.ok()) << initiator.status();
  auto receiver = Receiver::Create(NewOptions(), code, "b").value();
  EXPECT_EQ(initiator->GetData().value(), "b");
  EXPECT_EQ(receiver.GetData().value(), "a");
}

TEST_F(SavingTest, ForeignStatesAreRefused) {
  auto receiver = Receiver::Create(NewOptions(), "4-abandon-ability", "b").value();
  const std::string state = receiver.Serialize().value();
  EXPECT_EQ(Initiator::FromSerialized(state, NewOptions()).status().code(),
            absl::StatusCode::kInvalidArgument);
  for (const std::string& text :
       {std::string(), std::string("{}"), state.substr(0, state.size() / 2), "x" + state,
        std::string(5000, '['), std::string("\0\0", 2)}) {
    EXPECT_EQ(RoleOf(text).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(Receiver::FromSerialized(text, NewOptions()).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace wormhole::testing
