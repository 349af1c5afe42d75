// A client is killed at each of its saves, just before and just after, and resumed from the file:
// every exchange finishes, on both sides.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/end_to_end/relay_fixture.h"

namespace wormhole::testing {
namespace {

constexpr int kNever = 0;
constexpr int kMoreThanAnyExchangeSaves = 50;

class PhasesTest : public RelayTest {
 protected:
  std::unique_ptr<ChildProcess> Run(std::vector<std::string> words) {
    words.insert(words.begin(), getenv("WORMHOLE_MORTAL_SIDE"));
    return std::make_unique<ChildProcess>(ChildProcess::Options{.arguments = std::move(words)});
  }
  std::unique_ptr<ChildProcess> Initiate(const std::string& file, int save, const char* when) {
    return Run({"initiate", address(), file, std::to_string(save), when});
  }
  std::unique_ptr<ChildProcess> Receive(const std::string& file, int save, const char* when,
                                        const std::string& code) {
    return Run({"receive", address(), file, std::to_string(save), when, code});
  }
  std::unique_ptr<ChildProcess> Resume(const std::string& file) {
    return Run({"resume", address(), file, std::to_string(kNever), "before"});
  }

  static void ExpectData(ChildProcess& side, const std::string& data) {
    EXPECT_EQ(side.WaitForExit(), 0) << side.err();
    EXPECT_NE(side.out().find("data " + data + "\n"), std::string::npos) << side.out();
  }

  // False when the exchange was over before the initiator's save number `save`.
  bool KillInitiator(int save, const char* when);
  bool KillReceiver(int save, const char* when);
};

bool PhasesTest::KillInitiator(int save, const char* when) {
  const std::string file = PathOf("initiator." + std::to_string(save) + when);
  auto mortal = Initiate(file, save, when);
  std::string code = mortal->WaitForLine(ChildProcess::kOut, "code ");
  std::unique_ptr<ChildProcess> again;
  if (code.empty()) {
    // It died before it gave out its code.
    EXPECT_EQ(mortal->WaitForExit(), 128 + SIGKILL) << mortal->err();
    if (access(file.c_str(), F_OK) != 0) return true;  // and before it had told anybody anything
    again = Resume(file);
    code = again->WaitForLine(ChildProcess::kOut, "code ");
  }
  auto receiver = Receive(file + ".peer", kNever, "before", code);
  const bool killed = again != nullptr || mortal->WaitForExit() == 128 + SIGKILL;
  if (killed && again == nullptr) again = Resume(file);
  ExpectData(killed ? *again : *mortal, "from the receiver");
  ExpectData(*receiver, "from the initiator");
  return killed;
}

bool PhasesTest::KillReceiver(int save, const char* when) {
  const std::string file = PathOf("receiver." + std::to_string(save) + when);
  auto initiator = Initiate(file + ".peer", kNever, "before");
  const std::string code = initiator->WaitForLine(ChildProcess::kOut, "code ");
  auto mortal = Receive(file, save, when, code);
  const bool killed = mortal->WaitForExit() == 128 + SIGKILL;
  if (!killed) {
    ExpectData(*mortal, "from the initiator");
  } else {
    // Without a state nothing was sent, and the code is still good.
    auto again =
        access(file.c_str(), F_OK) == 0 ? Resume(file) : Receive(file, kNever, "before", code);
    ExpectData(*again, "from the initiator");
  }
  ExpectData(*initiator, "from the receiver");
  return killed;
}

TEST_F(PhasesTest, AnInitiatorKilledAtEachSave) {
  StartRelay();
  for (const char* when : {"before", "after"}) {
    int save = 1;
    while (save < kMoreThanAnyExchangeSaves && KillInitiator(save, when)) ++save;
    // First open, code, data, close: fewer saves than that would mean that this tested nothing.
    EXPECT_GE(save, 4) << when;
    EXPECT_LT(save, kMoreThanAnyExchangeSaves) << when;
  }
}

TEST_F(PhasesTest, AReceiverKilledAtEachSave) {
  StartRelay();
  for (const char* when : {"before", "after"}) {
    int save = 1;
    while (save < kMoreThanAnyExchangeSaves && KillReceiver(save, when)) ++save;
    EXPECT_GE(save, 4) << when;
    EXPECT_LT(save, kMoreThanAnyExchangeSaves) << when;
  }
}

}  // namespace
}  // namespace wormhole::testing
