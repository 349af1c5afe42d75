// fork() in a process that uses the library, over real gRPC.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/relay_process.h"
#include "tests/support/signal.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using Result = absl::StatusOr<std::string>;

constexpr absl::Duration kLong = absl::Minutes(1);
constexpr unsigned kChildsPatience = 30;  // seconds; a child that hangs is killed then

// How a child ended: its exit status, or minus the signal.
int Await(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Runs `work` in a child, which ends with its result by `end`: exit or _exit.
pid_t Fork(const std::function<int()>& work, void (*end)(int) = &_exit) {
  const pid_t child = fork();
  if (child != 0) return child;
  alarm(kChildsPatience);
  end(work());
  abort();
}

// The lock of libsodium, which its headers do not show.
extern "C" int sodium_crit_enter(void);
extern "C" int sodium_crit_leave(void);

bool Refused(const absl::Status& status) {
  return status.code() == absl::StatusCode::kFailedPrecondition &&
         ReasonOf(status) == Reason::kForked;
}

class ForkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    relay_.emplace(std::vector<std::string>{"--listen=127.0.0.1:0", "--store=memory"});
    options_.app_id = "example.com/test";
    options_.rendezvous = relay_->AwaitListening();
    options_.security = Security::kPlaintext;
  }

  // Also of what is refused everywhere: a child hears of the fork first.
  std::vector<absl::Status> MakeInEveryWay() {
    const std::string state = "no state";
    const unsigned char key[32] = {};
    Options no_time = options_;
    no_time.timeout = absl::ZeroDuration();
    Options no_target = options_;
    no_target.rendezvous = "no target";
    return {
        Initiator::FromSerialized(state, options_).status(),
        Initiator::FromSealed(state, key, sizeof(key), options_).status(),
        Initiator::FromSealed(state, key, 1, options_).status(),
        Initiator::Create(no_time, "a").status(),
        Initiator::Create(no_target, "a").status(),
        Receiver::FromSerialized(state, options_).status(),
        Receiver::FromSealed(state, key, sizeof(key), options_).status(),
        Receiver::FromSealed(state, key, 1, options_).status(),
        Receiver::Create(no_time, "4-purple-sausages", "b").status(),
        Receiver::Create(options_, "no code", "b").status(),
        Client::Create({.threads = 0}).status(),
    };
  }

  // 0, or which of them was not refused.
  int CallEverything(Initiator& initiator, Receiver* receiver,
                     const std::shared_ptr<Client>& client) {
    unsigned char key[32] = {};
    std::vector<absl::Status> statuses = {
        initiator.GetCode().status(),
        initiator.GetVerifier().status(),
        initiator.GetData().status(),
        initiator.Verifier().status(),
        initiator.DeriveKey("purpose", key, sizeof(key)),
        initiator.Finish(),
        initiator.Serialize().status(),
        initiator.SerializeSealed(key, sizeof(key)).status(),
        Initiator::Create(options_, "a").status(),
        Receiver::Create(options_, "4-purple-sausages", "b").status(),
        Client::Create().status(),
        client->Shutdown(kLong),
        ShutdownCommonClient(kLong),
    };
    initiator.WhenCode([&](const Result& code) { statuses.push_back(code.status()); });
    initiator.WhenVerifier([&](const Result& words) { statuses.push_back(words.status()); });
    initiator.WhenData([&](const Result& data) { statuses.push_back(data.status()); });
    Options others = options_;
    others.client = client;
    statuses.push_back(Initiator::Create(others, "a").status());
    for (absl::Status& status : MakeInEveryWay()) statuses.push_back(std::move(status));
    initiator.Cancel();
    initiator.AcceptVerifier(false);
    if (receiver != nullptr) statuses.push_back(receiver->GetData().status());
    for (size_t i = 0; i < statuses.size(); ++i) {
      if (!Refused(statuses[i])) return static_cast<int>(i) + 1;
    }
    return statuses.size() == (receiver != nullptr ? 29u : 28u) ? 0 : 100;
  }

  std::optional<RelayProcess> relay_;
  Options options_;
};

TEST_F(ForkTest, BeforeTheFirstUseBothMayUseIt) {
  const auto exchange = [&] {
    auto initiator = Initiator::Create(options_, "a");
    if (!initiator.ok()) return 1;
    const auto code = initiator->GetCode();
    if (!code.ok()) return 2;
    auto receiver = Receiver::Create(options_, *code, "b");
    if (!receiver.ok()) return 3;
    if (initiator->GetData() != Result("b")) return 4;
    if (receiver->GetData() != Result("a")) return 5;
    return 0;
  };
  // The forks come from processes that have not used it: this one, when the test is run alone.
  const pid_t parent = Fork([&] {
    if (RoleOf("no state").ok()) return 6;  // which is no use of the kind
    const pid_t child = Fork(exchange, &exit);
    const int own = exchange();
    return own != 0 ? own : Await(child);
  });
  EXPECT_EQ(Await(parent), 0);
}

TEST_F(ForkTest, AChildIsRefusedAndTheParentGoesOn) {
  auto client = Client::Create().value();
  using End = void (*)(int);
  for (const End end : {static_cast<End>(&_exit), static_cast<End>(&exit)}) {
    options_.confirm_verifier = true;
    std::optional<Initiator> initiator = Initiator::Create(options_, "a").value();
    std::optional<Receiver> receiver =
        Receiver::Create(options_, initiator->GetCode().value(), "b").value();
    ASSERT_TRUE(initiator->GetVerifier().ok());
    ASSERT_TRUE(receiver->GetVerifier().ok());
    const pid_t child = Fork(
        [&] {
          const int refused = CallEverything(*initiator, &*receiver, client);
          initiator.reset();
          receiver.reset();
          client.reset();
          return refused;
        },
        end);
    EXPECT_EQ(Await(child), 0);
    initiator->AcceptVerifier(true);
    receiver->AcceptVerifier(true);
    EXPECT_EQ(initiator->GetData().value(), "b");
    EXPECT_EQ(receiver->GetData().value(), "a");
    EXPECT_EQ(initiator->Finish(kLong), absl::OkStatus());
  }
}

// Needs no exchange, and not the lock of libsodium, which another thread may have at the fork.
TEST_F(ForkTest, RoleOfWorksInAChildToo) {
  const std::string state = Initiator::Create(options_, "a").value().Serialize().value();
  ASSERT_EQ(sodium_crit_enter(), 0);
  EXPECT_EQ(Await(Fork([&] { return RoleOf(state).ok() ? 0 : 1; })), 0);
  ASSERT_EQ(sodium_crit_leave(), 0);
}

// The areas of memory that the kernel wipes in a child.
std::vector<std::string_view> WipedAreas() {
  std::vector<std::string_view> areas;
  std::ifstream smaps("/proc/self/smaps");
  std::string_view area;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char readable = '-';
    if (sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %c", &begin, &end, &readable) == 3) {
      area = {reinterpret_cast<const char*>(begin), readable == 'r' ? end - begin : 0};
    } else if (line.starts_with("VmFlags:") && line.find(" wf") != std::string::npos) {
      areas.push_back(area);
    }
  }
  return areas;
}

size_t CountWithContent(const std::vector<std::string_view>& areas) {
  return static_cast<size_t>(std::ranges::count_if(areas, [](std::string_view area) {
    return area.find_first_not_of('\0') != std::string_view::npos;
  }));
}

TEST_F(ForkTest, AChildHasNoneOfTheSecretsOfExchanges) {
  std::vector<Initiator> exchanges;
  for (int i = 0; i < 3; ++i) exchanges.push_back(Initiator::Create(options_, "a").value());
  const std::vector<std::string_view> areas = WipedAreas();
  EXPECT_GE(CountWithContent(areas), exchanges.size());
  EXPECT_EQ(Await(Fork([&] { return static_cast<int>(CountWithContent(areas)); })), 0);
}

TEST_F(ForkTest, AGrandchildIsRefusedToo) {
  auto client = Client::Create().value();
  auto initiator = Initiator::Create(options_, "a").value();
  const pid_t child = Fork([&] {
    return Await(Fork([&] { return CallEverything(initiator, nullptr, client); }, &exit));
  });
  EXPECT_EQ(Await(child), 0);
  EXPECT_TRUE(initiator.GetCode().ok());
}

// Whatever locks other threads hold at that moment.
TEST_F(ForkTest, InTheMidstOfEverything) {
  auto client = Client::Create().value();
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Options options = options_;
      if (i % 2 == 0) options.client = client;
      while (!stop) {
        auto initiator = Initiator::Create(options, "a").value();
        initiator.WhenCode([](const Result&) {});
        if (i < 2) (void)initiator.GetCode();
        (void)initiator.Serialize();
        if (i == 3) initiator.Cancel();
        (void)RoleOf(initiator.Serialize().value());
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    std::optional<Initiator> initiator = Initiator::Create(options_, "a").value();
    const std::string state = initiator->Serialize().value();
    const pid_t child = Fork(
        [&] {
          const int refused = CallEverything(*initiator, nullptr, client);
          if (!RoleOf(state).ok()) return 101;  // needs no exchange
          initiator.reset();
          client.reset();
          return refused;
        },
        i % 2 == 0 ? &_exit : static_cast<void (*)(int)>(&exit));
    ASSERT_EQ(Await(child), 0);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(client->Shutdown(kLong), absl::OkStatus());
}

// The child has the thread of the callback alone, which must not go on with the parent's exchanges.
TEST_F(ForkTest, AChildThatReturnsFromACallbackOrHookEnds) {
  Collector<pid_t> children;
  const auto fork_here = [&] {
    const pid_t child = fork();
    if (child == 0) {
      alarm(kChildsPatience);
    } else {
      children.Add(child);
    }
  };
  std::atomic<int> saves = 0;
  options_.on_save = [&](std::string_view) {
    if (++saves == 1) fork_here();
    return absl::OkStatus();
  };
  auto initiator = Initiator::Create(options_, "a").value();
  initiator.WhenCode([&](const Result&) { fork_here(); });
  for (const pid_t child : children.Await(2)) EXPECT_EQ(Await(child), EXIT_FAILURE);
  auto receiver = Receiver::Create(options_, initiator.GetCode().value(), "b").value();
  EXPECT_EQ(initiator.GetData().value(), "b");
}

}  // namespace
}  // namespace wormhole::testing
