// Each call is told of its end once, however it ends and whatever kind it is of.
#include "relay/store/etcd/client.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/sync/mutex.h"

namespace wormhole::relay {
namespace {

using ::testing::_;
using ::testing::Each;
using ::testing::Pair;
using ::testing::SizeIs;

// A port of this machine, on which nobody listens, or where connections find nobody who answers.
class DeadPort {
 public:
  explicit DeadPort(bool listens) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, general, size), 0);
    EXPECT_EQ(::getsockname(socket_, general, &size), 0);
    EXPECT_TRUE(!listens || ::listen(socket_, 1) == 0);
    name_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~DeadPort() { ::close(socket_); }
  DeadPort(const DeadPort&) = delete;
  DeadPort& operator=(const DeadPort&) = delete;

  const std::string& name() const { return name_; }

 private:
  const int socket_;
  std::string name_;
};

// How the calls of each kind have ended, and how often.
class Ends {
 public:
  using Told = std::map<std::string, std::pair<absl::StatusCode, int>>;

  void Note(const std::string& call, const absl::Status& status) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    told_[call].first = status.code();
    ++told_[call].second;
    noted_.NotifyAll();
  }
  Told Await(size_t calls) WORMHOLE_EXCLUDES(mutex_) {
    sync::MutexLock lock(mutex_);
    while (told_.size() < calls) noted_.Wait(mutex_);
    return told_;
  }
  Told told() WORMHOLE_EXCLUDES(mutex_) { return Await(0); }

 private:
  sync::Mutex mutex_;
  sync::CondVar noted_;
  Told told_ WORMHOLE_GUARDED_BY(mutex_);
};

constexpr size_t kKinds = 6;

void CallEach(EtcdClient& client, Ends& ends) {
  const auto note = [&ends](const std::string& call) {
    return [&ends, call](const auto& answer) { ends.Note(call, answer.status()); };
  };
  client.Txn(std::make_shared<etcdserverpb::TxnRequest>(), note("txn"));
  client.Range({}, note("range"));
  client.Grant(1, note("grant"));
  client.Revoke(1, note("revoke"));
  client.KeepAlive(1, note("keep alive"));
  client.Watch(
      {}, [](const auto&) { return true; },
      [&ends](const absl::Status& status) { ends.Note("watch", status); });
}

class EtcdClientTest : public ::testing::TestWithParam<std::string> {
 protected:
  // With the user, each call is preceded by one for the token.
  static EtcdServers At(const DeadPort& port) {
    return {.endpoints = {port.name()}, .user = GetParam(), .password = "p"};
  }
  static auto Ended(absl::StatusCode code) {
    return ::testing::AllOf(SizeIs(kKinds), Each(Pair(_, Pair(code, 1))));
  }

  Ends ends_;  // outlives the client
};

INSTANTIATE_TEST_SUITE_P(WithAndWithoutUser, EtcdClientTest, ::testing::Values("", "root"));

TEST_P(EtcdClientTest, NobodyListens) {
  const DeadPort port(/*listens=*/false);
  EtcdClient client(At(port));
  CallEach(client, ends_);
  EXPECT_THAT(ends_.Await(kKinds), Ended(absl::StatusCode::kUnavailable));
}

TEST_P(EtcdClientTest, StoppedWhileTheyAreUnderWay) {
  const DeadPort port(/*listens=*/true);
  EtcdClient client(At(port));
  CallEach(client, ends_);
  client.Stop();
  EXPECT_THAT(ends_.told(), Ended(absl::StatusCode::kCancelled));
}

TEST_P(EtcdClientTest, StoppedBeforeTheyBegin) {
  const DeadPort port(/*listens=*/true);
  EtcdClient client(At(port));
  client.Stop();
  CallEach(client, ends_);
  EXPECT_THAT(ends_.told(), Ended(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace wormhole::relay
