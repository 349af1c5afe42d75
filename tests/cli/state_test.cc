// Exchanges that survive their process.
#include <signal.h>

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/fixture.h"

namespace wormhole::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class StateTest : public CliTest {
 protected:
  std::string state() const { return PathOf("state"); }

  // What `receive` with this code brings to an end.
  void Receive(const std::string& code) {
    auto receiver = Start(WithRelay({"receive", code}), "b");
    EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
    EXPECT_EQ(receiver->out(), "a");
  }

  void ExpectFinished(ChildProcess& initiator) {
    EXPECT_EQ(initiator.WaitForExit(), 0) << initiator.err();
    EXPECT_EQ(initiator.out(), "b");
    EXPECT_FALSE(Exists("state"));
    EXPECT_FALSE(Exists("state.wormhole-lock"));
    EXPECT_FALSE(Exists("state.wormhole-new"));
  }
};

TEST_F(StateTest, RemovedWhenTheExchangeIsFinished) {
  auto initiator = Start(WithRelay({"initiate", "--state", state()}), "a");
  const std::string code = CodeOf(*initiator);
  EXPECT_TRUE(Exists("state"));
  EXPECT_EQ(std::filesystem::status(state()).permissions(), std::filesystem::perms(0600));
  Receive(code);
  ExpectFinished(*initiator);
}

TEST_F(StateTest, ResumedAfterSigkill) {
  auto first = Start(WithRelay({"initiate", "--state", state()}), "a");
  const std::string code = CodeOf(*first);
  first->Signal(SIGKILL);
  EXPECT_EQ(first->WaitForExit(), 128 + SIGKILL);
  EXPECT_TRUE(Exists("state"));
  auto second = Start({"resume", state()});  // the relay is in the state
  EXPECT_EQ(CodeOf(*second), code);
  Receive(code);
  ExpectFinished(*second);
}

TEST_F(StateTest, ASecondResumeIsRefused) {
  auto first = Start(WithRelay({"initiate", "--state", state()}), "a");
  const std::string code = CodeOf(*first);
  auto second = Start({"resume", state()});
  EXPECT_EQ(second->WaitForExit(), 9) << second->err();
  EXPECT_THAT(second->err(), HasSubstr("in use by another wormhole-sync"));
  auto third = Start(WithRelay({"initiate", "--state", state()}));
  EXPECT_EQ(third->WaitForExit(), 9) << third->err();
  Receive(code);
  ExpectFinished(*first);
}

TEST_F(StateTest, CtrlCKeepsTheFileAndTellsHowToGoOn) {
  auto first = Start(WithRelay({"initiate", "--state", state()}), "a");
  const std::string code = CodeOf(*first);
  first->Signal(SIGINT);
  EXPECT_EQ(first->WaitForExit(), 8) << first->err();
  EXPECT_THAT(first->err(), HasSubstr("go on with: wormhole-sync resume " + state() +
                                      " --rendezvous " + address()));
  EXPECT_TRUE(Exists("state"));
  EXPECT_FALSE(Exists("state.wormhole-lock"));
  auto second = Start(WithRelay({"resume", state()}));
  CodeOf(*second);
  Receive(code);
  ExpectFinished(*second);
}

TEST_F(StateTest, CtrlCWithoutAStateClosesTheChannelAsLonely) {
  auto initiator = StartOpen(WithRelay({"initiate", "--verify", "--data", "a"}));
  auto receiver = StartOpen(WithRelay({"receive", CodeOf(*initiator), "--verify", "--data", "b"}));
  ASSERT_TRUE(receiver->WaitFor(ChildProcess::kErr, "[yes/no]")) << receiver->err();
  initiator->Signal(SIGINT);
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->err();
  EXPECT_THAT(initiator->err(), HasSubstr("giving up"));
  EXPECT_EQ(receiver->WaitForExit(), 8) << receiver->err();
  // Not "failed", and not "closed".
  EXPECT_THAT(receiver->err(), ContainsRegex("the other side of .* gave up; begin again"));
}

// The relay hears nothing, so that the first signal alone would have the tool wait for it.
TEST_F(StateTest, ASecondSignalEndsAtOnce) {
  auto initiator = Start(WithRelay({"initiate"}), "a");
  CodeOf(*initiator);
  relay().Signal(SIGSTOP);
  initiator->Signal(SIGINT);
  initiator->Signal(SIGTERM);
  EXPECT_EQ(initiator->WaitForExit(), 8) << initiator->err();
  EXPECT_THAT(initiator->err(), HasSubstr("ended at once"));
}

TEST_F(StateTest, KeepState) {
  auto initiator = Start(WithRelay({"initiate", "--state", state(), "--keep-state"}), "a");
  Receive(CodeOf(*initiator));
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_TRUE(Exists("state"));
  EXPECT_FALSE(Exists("state.wormhole-lock"));
  // What is finished is told again.
  auto again = Start({"resume", state()});
  ExpectFinished(*again);
}

TEST_F(StateTest, AnOlderCopyIsStale) {
  auto initiator = Start(WithRelay({"initiate", "--state", state()}), "a");
  const std::string code = CodeOf(*initiator);
  std::filesystem::copy_file(state(), PathOf("old"));
  Receive(code);
  ExpectFinished(*initiator);
  auto old = Start({"resume", PathOf("old")});
  EXPECT_EQ(old->WaitForExit(), 9) << old->err();
  EXPECT_EQ(old->out(), "");
}

TEST_F(StateTest, ASpentStateIsRefused) {
  auto initiator = Start(WithRelay({"initiate", "--state", state()}), "a");
  auto receiver = Start(WithRelay({"receive", WrongCode(CodeOf(*initiator))}));
  EXPECT_EQ(receiver->WaitForExit(), 3);
  EXPECT_EQ(initiator->WaitForExit(), 3) << initiator->err();
  EXPECT_THAT(initiator->err(), HasSubstr("still holds your data"));
  auto again = Start({"resume", state()});
  EXPECT_EQ(again->WaitForExit(), 9) << again->err();
  EXPECT_THAT(again->err(), HasSubstr(state()));
}

TEST_F(StateTest, AFileThatOthersCanReadIsRefused) {
  auto first = Start(WithRelay({"initiate", "--state", state()}), "a");
  CodeOf(*first);
  first->Signal(SIGINT);
  EXPECT_EQ(first->WaitForExit(), 8);
  std::filesystem::permissions(state(), std::filesystem::perms(0644));
  auto second = Start({"resume", state()});
  EXPECT_EQ(second->WaitForExit(), 2);
  EXPECT_THAT(second->err(), HasSubstr("chmod 600"));
  EXPECT_TRUE(Exists("state"));
}

// What is wrong with the other options is not the file's fault.
TEST_F(StateTest, AResumeWithBadOptionsDoesNotBlameTheFile) {
  auto first = Start(WithRelay({"initiate", "--state", state()}), "a");
  CodeOf(*first);
  first->Signal(SIGINT);
  EXPECT_EQ(first->WaitForExit(), 8);
  auto nowhere = Start({"resume", state(), "--rendezvous", "nowhere"});
  EXPECT_EQ(nowhere->WaitForExit(), 2);
  EXPECT_THAT(nowhere->err(), HasSubstr("the relay address 'nowhere' names no port"));
  EXPECT_THAT(nowhere->err(), Not(HasSubstr("state file")));
  auto bare = Start({"resume", state(), "--rendezvous", "relay.example.com:443", "--plaintext",
                     "--bearer-token-file", MakeFile("token", "secret")});
  EXPECT_EQ(bare->WaitForExit(), 2);
  EXPECT_THAT(bare->err(), HasSubstr("a bearer token in plaintext"));
  EXPECT_THAT(bare->err(), Not(HasSubstr("state file")));
  EXPECT_TRUE(Exists("state"));
}

// A receiver that dies while its user compares, and asks again when it is back.
TEST_F(StateTest, TheQuestionOfVerifySurvives) {
  const std::string data = MakeFile("data", "b");
  auto initiator = Start(WithRelay({"initiate"}), "a");
  auto first = StartOpen(
      WithRelay({"receive", CodeOf(*initiator), "--verify", "--file", data, "--state", state()}));
  ASSERT_TRUE(first->WaitFor(ChildProcess::kErr, "[yes/no]")) << first->err();
  first->Signal(SIGKILL);
  first->WaitForExit();
  auto second = StartOpen({"resume", state()});
  ASSERT_TRUE(second->WaitFor(ChildProcess::kErr, "[yes/no]")) << second->err();
  EXPECT_THAT(second->out(), "");
  second->WriteInput("yes\n");
  EXPECT_EQ(second->WaitForExit(), 0) << second->err();
  EXPECT_EQ(initiator->WaitForExit(), 0) << initiator->err();
  EXPECT_EQ(second->out() + initiator->out(), "ab");
}

// A yes that was saved is asked for again, and a no then counts.
TEST_F(StateTest, ANoAfterAResumeIsHeard) {
  const std::string data = MakeFile("data", "a");
  auto first = StartOpen(WithRelay({"initiate", "--verify", "--file", data, "--state", state()}));
  auto receiver = StartOpen(WithRelay({"receive", CodeOf(*first), "--verify", "--data", "b"}));
  ASSERT_TRUE(first->WaitFor(ChildProcess::kErr, "[yes/no]")) << first->err();
  // The receiver has the initiator's confirmation, which was saved before it was sent.
  ASSERT_TRUE(receiver->WaitFor(ChildProcess::kErr, "[yes/no]")) << receiver->err();
  first->Signal(SIGKILL);
  first->WaitForExit();
  // As if it had died just after the yes.
  std::string content = FileContent("state");
  const std::string no = "\"verifier_accepted\":false";
  ASSERT_THAT(content, HasSubstr(no));
  MakeFile("state", content.replace(content.find(no), no.size(), "\"verifier_accepted\":true"));
  auto second = StartOpen({"resume", state()});
  ASSERT_TRUE(second->WaitFor(ChildProcess::kErr, "[yes/no]")) << second->err();
  second->WriteInput("no\n");
  EXPECT_EQ(second->WaitForExit(), 8) << second->err();
  EXPECT_EQ(second->out(), "");
  EXPECT_THAT(second->err(), HasSubstr("the verifier differs: nothing is shown"));
  EXPECT_EQ(receiver->WaitForExit(), 8) << receiver->err();
  EXPECT_EQ(receiver->out(), "");
}

TEST_F(StateTest, TheDataOfAFinishedStateWaitsForTheAnswer) {
  auto initiator = Start(WithRelay({"initiate"}), "a");
  auto receiver = StartOpen(WithRelay({"receive", CodeOf(*initiator), "--verify", "--data", "b",
                                       "--state", state(), "--keep-state"}));
  ASSERT_TRUE(receiver->WaitFor(ChildProcess::kErr, "[yes/no]")) << receiver->err();
  receiver->WriteInput("yes\n");
  EXPECT_EQ(receiver->WaitForExit(), 0) << receiver->err();
  EXPECT_EQ(receiver->out(), "a");
  for (const bool accept : {false, true}) {
    auto again = StartOpen({"resume", state()});
    ASSERT_TRUE(again->WaitFor(ChildProcess::kErr, "[yes/no]")) << again->err();
    again->WriteInput(accept ? "yes\n" : "no\n");
    EXPECT_EQ(again->WaitForExit(), accept ? 0 : 8) << again->err();
    EXPECT_EQ(again->out(), accept ? "a" : "");
  }
  EXPECT_FALSE(Exists("state"));
}

}  // namespace
}  // namespace wormhole::testing
