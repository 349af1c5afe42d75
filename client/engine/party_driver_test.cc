#include "client/engine/party_driver.h"

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client/engine/testing/scripted_party.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

using core::Effect;
using core::Event;
using rendezvous::v1::AttachResponse;
using testing::ElementsAre;

class PartyDriverTest : public testing::Test {
 protected:
  PartyDriverTest() {
    auto engine = Engine::Create(2, transport_);
    EXPECT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }

  std::shared_ptr<PartyDriver> Start(
      std::function<absl::Status(std::string_view)> on_save = nullptr) {
    PartySetup setup;
    setup.engine = engine_;
    setup.exchange = std::make_unique<ScriptedExchange>(script_);
    setup.on_save = std::move(on_save);
    setup.on_progress = [log = log_](const ProgressEvent& progress) { log->Add(progress.text); };
    return PartyDriver::Start(std::move(setup));
  }

  // Effects of Start; every other event is noted by its index, and has the effects in `others_`.
  // Released exchanges are stepped in the background, maybe after the test: the script holds what
  // it uses.
  void OnStart(std::vector<Effect> effects) {
    script_->step = [log = log_, others = others_, effects](Event event) -> std::vector<Effect> {
      if (std::holds_alternative<core::Start>(event)) return effects;
      log->Add("event " + std::to_string(event.index()));
      const auto it = others->find(event.index());
      return it == others->end() ? std::vector<Effect>() : it->second;
    };
  }
  template <typename T>
  static size_t Index() {
    return Event(T{}).index();
  }
  template <typename T>
  void On(std::vector<Effect> effects) {
    (*others_)[Index<T>()] = std::move(effects);
  }
  template <typename T>
  static std::string Line() {
    return "event " + std::to_string(Index<T>());
  }

  const std::shared_ptr<Log> log_ = std::make_shared<Log>();
  const std::shared_ptr<std::map<size_t, std::vector<Effect>>> others_ =
      std::make_shared<std::map<size_t, std::vector<Effect>>>();
  std::shared_ptr<ScriptedTransport> transport_ = std::make_shared<ScriptedTransport>(log_);
  std::shared_ptr<Script> script_ = std::make_shared<Script>();
  std::shared_ptr<Engine> engine_;
};

TEST_F(PartyDriverTest, SavesBeforeWhatFollows) {
  OnStart({core::Save{"one"}, core::OpenStream{OpenRequest()}, core::Save{"two"},
           core::Send{CloseRequest()}, core::CodeReady{"4-a-b"}});
  auto driver = Start([log = log_](std::string_view state) {
    log->Add("save " + std::string(state));
    return absl::OkStatus();
  });
  EXPECT_EQ(driver->results().Await(Results::kCode).value(), "4-a-b");
  EXPECT_THAT(log_->lines(),
              ElementsAre("save one", "open", "send 1 on 1", "save two", "send 5 on 1"));
  driver->Release();
}

TEST_F(PartyDriverTest, AFailedSaveDropsWhatFollowsAndIsAnEvent) {
  OnStart({core::OpenStream{OpenRequest()}, core::Save{"one"}, core::Send{CloseRequest()},
           core::CodeReady{"4-a-b"}});
  const absl::Status full = absl::ResourceExhaustedError("disk full");
  On<core::SaveFailed>({core::DropStream{}, core::Failed{full}, core::Over{}});
  auto driver = Start([full](std::string_view) { return full; });
  EXPECT_EQ(driver->results().Await(Results::kCode).status(), full);
  EXPECT_EQ(driver->results().Await(Results::kData).status(), full);
  EXPECT_THAT(log_->lines(),
              ElementsAre("open", "send 1 on 1", Line<core::SaveFailed>(), "abandon 1"));
  driver->Release();
}

TEST_F(PartyDriverTest, AnOlderStreamIsNotHeard) {
  OnStart({core::OpenStream{OpenRequest()}, core::OpenStream{OpenRequest()}, core::CodeReady{"c"}});
  On<core::Received>({core::VerifierReady{"v"}});
  auto driver = Start();
  ASSERT_TRUE(driver->results().Await(Results::kCode).ok());
  transport_->listener(0)->OnResponse(AttachResponse());
  transport_->listener(0)->OnEnd(absl::InternalError("old"));
  transport_->listener(1)->OnResponse(AttachResponse());
  log_->Await("read more on 2");
  EXPECT_THAT(log_->lines(), ElementsAre("open", "send 1 on 1", "abandon 1", "open", "send 1 on 2",
                                         Line<core::Received>(), "read more on 2"));
  driver->Release();
}

TEST_F(PartyDriverTest, ASilentStreamsConnectionIsDistrusted) {
  OnStart({core::OpenStream{OpenRequest()}, core::DropStream{.silent = true},
           core::DropStream{.silent = true}, core::OpenStream{OpenRequest()}, core::DropStream{},
           core::CodeReady{"c"}});
  auto driver = Start();
  ASSERT_TRUE(driver->results().Await(Results::kCode).ok());
  EXPECT_THAT(log_->lines(), ElementsAre("open", "send 1 on 1", "distrust 1", "abandon 1", "open",
                                         "send 1 on 2", "abandon 2"));
  driver->Release();
}

TEST_F(PartyDriverTest, WakesTheCoreWhenItAsks) {
  script_->wake = absl::ZeroDuration();
  script_->step = [script = script_.get()](Event event) -> std::vector<Effect> {
    if (std::holds_alternative<core::Start>(event)) return {};
    script->wake.reset();
    return {core::DataReady{std::holds_alternative<core::Wake>(event) ? "woken" : "?"}};
  };
  auto driver = Start();
  EXPECT_EQ(driver->results().Await(Results::kData).value(), "woken");
  driver->Release();
}

TEST_F(PartyDriverTest, AnUnsettledExchangeStopsWithItsHandle) {
  OnStart({core::OpenStream{OpenRequest()}, core::CodeReady{"c"}});
  auto driver = Start();
  ASSERT_TRUE(driver->results().Await(Results::kCode).ok());
  driver->Release();
  log_->Await("abandon 1");
  std::weak_ptr<PartyDriver> weak = driver;
  transport_->listener(0)->OnResponse(AttachResponse());
  driver->Cancel();
  EXPECT_THAT(log_->lines(), ElementsAre("open", "send 1 on 1", "abandon 1"));
}

TEST_F(PartyDriverTest, AFinishedExchangeSaysGoodbyeWithoutItsHandle) {
  OnStart({core::OpenStream{OpenRequest()}, core::DataReady{"d"}, core::Send{CloseRequest()}});
  On<core::Ended>({core::Over{}});
  auto driver = Start();
  ASSERT_TRUE(driver->results().Await(Results::kData).ok());
  driver->Release();
  std::weak_ptr<PartyDriver> weak = driver;
  log_->Await("send 5 on 1");
  driver = nullptr;
  EXPECT_FALSE(weak.expired());  // the engine keeps it
  transport_->listener(0)->OnEnd(absl::OkStatus());
  log_->Await(Line<core::Ended>());
  // Its thread lets go of it last; a task after that sees it gone.
  while (!weak.expired()) {
    std::promise<void> turn;
    engine_->executor().Post([&turn] { turn.set_value(); });
    turn.get_future().wait();
  }
}

TEST_F(PartyDriverTest, TheClientsEndIsTheGoodbyesEnd) {
  OnStart({core::OpenStream{OpenRequest()}, core::DataReady{"d"}, core::Send{CloseRequest()}});
  auto driver = Start();
  log_->Await("send 5 on 1");
  driver->Release();
  driver = nullptr;
  engine_->DropBackground();
  log_->Await("abandon 1");
}

TEST_F(PartyDriverTest, ACancelledExchangeGoesOnUntilTheRelayKnows) {
  OnStart({core::OpenStream{OpenRequest()}, core::CodeReady{"c"}});
  On<core::Cancel>({core::Failed{absl::CancelledError("c")}, core::Send{CloseRequest()}});
  auto driver = Start();
  ASSERT_TRUE(driver->results().Await(Results::kCode).ok());
  driver->Cancel();
  driver->Release();
  driver = nullptr;
  log_->Await("send 5 on 1");
}

// A hook that holds up the exchange when it is called with `which`.
struct Gate {
  std::function<absl::Status(std::string_view)> Hook(std::shared_ptr<Log> log, std::string which) {
    return [this, log, which](std::string_view state) {
      log->Add("save " + std::string(state));
      if (state == which) opened.get_future().wait();
      return absl::OkStatus();
    };
  }
  std::promise<void> opened;
};

// A bad frame that waits would burn the state, and no hook could save that any more.
TEST_F(PartyDriverTest, ACancelComesBeforeTheFramesThatWaitWhenTheHandleGoes) {
  OnStart({core::OpenStream{OpenRequest()}, core::Save{"held"}});
  On<core::Received>({core::Save{"burnt"}});
  On<core::Cancel>({core::Save{"cancelled"}, core::Send{CloseRequest()}});
  Gate gate;
  auto driver = Start(gate.Hook(log_, "held"));
  log_->Await("save held");
  transport_->listener(0)->OnResponse(AttachResponse());
  driver->Cancel();
  driver->Release();
  gate.opened.set_value();
  log_->Await("read more on 1");
  EXPECT_THAT(log_->lines(), ElementsAre("open", "send 1 on 1", "save held", Line<core::Cancel>(),
                                         "send 5 on 1", Line<core::Received>(), "read more on 1"));
}

// One that has been taken in the very moment: what it came to is not saved, and so nobody hears it.
// However the handle's hook went: with the handle, or by a shutdown, which fails all results.
class HookGoesTest : public PartyDriverTest,
                     public testing::WithParamInterface<void (PartyDriver::*)()> {};

INSTANTIATE_TEST_SUITE_P(Ends, HookGoesTest,
                         testing::Values(&PartyDriver::Release, &PartyDriver::ShutDown));

TEST_P(HookGoesTest, WhatCannotBeSavedAnyMoreIsNotTold) {
  OnStart({core::OpenStream{OpenRequest()}, core::CodeReady{"c"}});
  On<core::Received>({core::Save{"held"}, core::Save{"burnt"}, core::Send{CloseRequest()}});
  Gate gate;
  auto driver = Start(gate.Hook(log_, "held"));
  ASSERT_TRUE(driver->results().Await(Results::kCode).ok());
  transport_->listener(0)->OnResponse(AttachResponse());
  log_->Await("save held");
  driver->Cancel();
  (driver.get()->*GetParam())();
  std::weak_ptr<PartyDriver> weak = driver;
  driver = nullptr;
  gate.opened.set_value();
  log_->Await("abandon 1");
  EXPECT_THAT(log_->lines(), ElementsAre("open", "send 1 on 1", Line<core::Received>(), "save held",
                                         "read more on 1", "abandon 1"));
  while (!weak.expired()) {  // the engine has let go of it
    std::promise<void> turn;
    engine_->executor().Post([&turn] { turn.set_value(); });
    turn.get_future().wait();
  }
}

TEST_F(PartyDriverTest, FinishWaitsForTheRelaysWord) {
  OnStart({core::OpenStream{OpenRequest()}, core::CodeReady{"c"}});
  On<core::Received>({core::DataReady{"d"}, core::Send{CloseRequest()}});
  On<core::Ended>({core::Over{}});
  auto driver = Start();
  ASSERT_TRUE(driver->results().Await(Results::kCode).ok());
  EXPECT_EQ(driver->Finish(absl::Hours(1)).code(), absl::StatusCode::kFailedPrecondition);
  transport_->listener(0)->OnResponse(AttachResponse());
  ASSERT_TRUE(driver->results().Await(Results::kData).ok());
  EXPECT_EQ(driver->Finish(absl::ZeroDuration()).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(driver->Finish(-absl::InfiniteDuration()).code(), absl::StatusCode::kDeadlineExceeded);
  log_->Await("send 5 on 1");
  transport_->listener(0)->OnEnd(absl::OkStatus());
  EXPECT_EQ(driver->Finish(absl::InfiniteDuration()), absl::OkStatus());
  driver->Release();
}

TEST_F(PartyDriverTest, FinishSaysWhenTheRelayCouldNotBeTold) {
  OnStart({core::OpenStream{OpenRequest()}, core::Failed{absl::CancelledError("c")}});
  On<core::Ended>({core::Over{}});
  auto driver = Start();
  EXPECT_FALSE(driver->results().Await(Results::kData).ok());
  transport_->listener(0)->OnEnd(absl::UnavailableError("connection refused"));
  const absl::Status untold = driver->Finish(absl::Hours(1));
  EXPECT_EQ(untold.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(untold), Reason::kUnreachable);
  driver->Release();
}

TEST_F(PartyDriverTest, FinishHasNothingToTellOfWhatNeverBegan) {
  OnStart({core::OpenStream{OpenRequest()}, core::CodeReady{"c"}});
  On<core::Cancel>({core::Failed{absl::CancelledError("c")}, core::DropStream{},
                    core::Over{.nothing_to_tell = true}});
  auto driver = Start();
  ASSERT_TRUE(driver->results().Await(Results::kCode).ok());
  driver->Cancel();
  EXPECT_EQ(driver->Finish(absl::Hours(1)), absl::OkStatus());
  driver->Release();
}

// What nobody asked for does not give the exchange up.
TEST_F(PartyDriverTest, ARefusalWithoutAQuestionChangesNothing) {
  OnStart({core::OpenStream{OpenRequest()}, core::CodeReady{"c"}});
  auto driver = Start();
  driver->AcceptVerifier(false);
  log_->Await(Line<core::AcceptVerifier>());
  EXPECT_EQ(driver->Finish(absl::Hours(1)).code(), absl::StatusCode::kFailedPrecondition);
  script_->asks_for_verifier = true;
  driver->AcceptVerifier(false);
  EXPECT_EQ(driver->Finish(absl::ZeroDuration()).code(), absl::StatusCode::kDeadlineExceeded);
  driver->Release();
}

TEST_F(PartyDriverTest, ARestoredExchangeWithItsKeyHasNoCode) {
  OnStart({core::VerifierReady{"v"}, core::DataReady{"d"}});
  auto driver = Start();
  const absl::Status none = driver->results().Await(Results::kCode).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(none.message()), testing::HasSubstr("has been used"));
  EXPECT_EQ(driver->results().Await(Results::kData).value(), "d");
  driver->Release();
}

TEST_F(PartyDriverTest, FinishTakesATypedRefusalForAWord) {
  OnStart({core::OpenStream{OpenRequest()}});
  On<core::Ended>({core::Failed{absl::NotFoundError("c")}, core::Over{}});
  auto driver = Start();
  log_->Await("send 1 on 1");
  transport_->listener(0)->OnEnd(
      error::Make(error::ErrorDetail::REASON_EXPIRED, "the channel is gone"));
  EXPECT_FALSE(driver->results().Await(Results::kData).ok());
  EXPECT_EQ(driver->Finish(absl::Hours(1)), absl::OkStatus());
  driver->Release();
}

TEST_F(PartyDriverTest, NoHookRunsWithoutAHandle) {
  OnStart({core::OpenStream{OpenRequest()}, core::DataReady{"d"}});
  On<core::Received>({core::Save{"late"}, core::Send{CloseRequest()}});
  auto driver = Start([log = log_](std::string_view state) {
    log->Add("save " + std::string(state));
    return absl::OkStatus();
  });
  ASSERT_TRUE(driver->results().Await(Results::kData).ok());
  driver->Release();
  driver = nullptr;
  transport_->listener(0)->OnResponse(AttachResponse());
  log_->Await("send 5 on 1");
  EXPECT_THAT(log_->lines(), testing::Not(testing::Contains("save late")));
}

TEST_F(PartyDriverTest, ProgressComesInOrder) {
  std::vector<Effect> effects;
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    texts.push_back("progress " + std::to_string(i));
    effects.push_back(ProgressEvent{ProgressEvent::Kind::kWaiting, texts.back()});
  }
  OnStart(effects);
  auto driver = Start();
  log_->Await(texts.back());
  EXPECT_EQ(log_->lines(), texts);
  driver->Release();
}

}  // namespace
}  // namespace wormhole
