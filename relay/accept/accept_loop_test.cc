// The loop with real sockets on loopback; the test takes what gRPC would.
#include "relay/accept/accept_loop.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/sync/mutex.h"
#include "relay/accept/peer_name.h"

namespace {
std::atomic<int> accept_error = 0;
std::atomic<int> accept_calls = 0;
std::atomic<bool> cookies = true;
}  // namespace

// The program's own goes before libc's: it fails with `accept_error` while that is set.
extern "C" int accept4(int listener, sockaddr* address, socklen_t* size, int flags) {
  ++accept_calls;
  if (const int error = accept_error; error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_accept4, listener, address, size, flags));
}

// So does this one, without cookies.
extern "C" int getsockopt(int socket, int level, int name, void* value, socklen_t* size) noexcept {
  if (level == SOL_SOCKET && name == SO_COOKIE && !cookies) {
    errno = ENOPROTOOPT;
    return -1;
  }
  return static_cast<int>(syscall(SYS_getsockopt, socket, level, name, value, size));
}

namespace wormhole::relay {
namespace {

constexpr std::chrono::seconds kPatience(20);

sockaddr_in Loopback(uint16_t port, uint8_t host = 1) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7f000000u + host);
  return address;
}

// A listener on all of 127.0.0.0/8.
std::pair<int, uint16_t> Listen() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listener, SOMAXCONN), 0);
  EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return {listener, ntohs(address.sin_port)};
}

// Connects from 127.0.0.`host`.
Descriptor Connect(uint16_t port, uint8_t host = 1, uint16_t from_port = 0) {
  Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_TRUE(client.valid());
  const sockaddr_in from = Loopback(from_port, host);
  EXPECT_EQ(bind(client.number(), reinterpret_cast<const sockaddr*>(&from), sizeof(from)), 0);
  const sockaddr_in to = Loopback(port);
  EXPECT_EQ(connect(client.number(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  return client;
}

// errno of what the other end did: 0 for the end of the stream.
int AwaitEnd(const Descriptor& client) {
  pollfd readable = {.fd = client.number(), .events = POLLIN, .revents = 0};
  if (poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) != 1) {
    return ETIMEDOUT;
  }
  char byte = 0;
  return read(client.number(), &byte, 1) < 0 ? errno : 0;
}

class Arrivals final : public AcceptObserver {
 public:
  void OnArrival(Arrival arrival) override {
    sync::MutexLock lock(mutex_);
    ++counts_[arrival];
    changed_.NotifyAll();
  }

  void OnGaveWay() override {
    sync::MutexLock lock(mutex_);
    ++gave_way_;
  }
  int gave_way() {
    sync::MutexLock lock(mutex_);
    return gave_way_;
  }

  void OnFlooding() override {
    sync::MutexLock lock(mutex_);
    ++flooding_;
  }
  int flooding() {
    sync::MutexLock lock(mutex_);
    return flooding_;
  }

  // Whether there are so many before the patience is over.
  bool Await(Arrival arrival, int count) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    sync::MutexLock lock(mutex_);
    while (counts_[arrival] < count) {
      if (!changed_.WaitUntil(mutex_, deadline)) return counts_[arrival] >= count;
    }
    return true;
  }

  int Count(Arrival arrival) {
    sync::MutexLock lock(mutex_);
    return counts_[arrival];
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  int gave_way_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  int flooding_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::map<Arrival, int> counts_ WORMHOLE_GUARDED_BY(mutex_);
};

constexpr uint8_t kProxy = 9;
constexpr char kHeader[] = "PROXY TCP4 203.0.113.7 198.51.100.1 50312 47180\r\n";

void Say(const Descriptor& client, std::string_view text) {
  EXPECT_EQ(send(client.number(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

std::string NameOf(const Descriptor& client) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  getsockname(client.number(), reinterpret_cast<sockaddr*>(&address), &size);
  return PeerName(*net::Address::Parse(inet_ntoa(address.sin_addr)), ntohs(address.sin_port));
}

std::string PortOf(const Descriptor& client) {
  const std::string name = NameOf(client);
  return name.substr(name.rfind(':') + 1);
}

// Owns what the loop hands over, as gRPC does.
class Served {
 public:
  void Take(int connection) {
    sync::MutexLock lock(mutex_);
    connections_.emplace_back(connection);
  }
  // What has come on the last one, without waiting.
  std::string Read() {
    sync::MutexLock lock(mutex_);
    std::string text(1000, '\0');
    const ssize_t size = recv(connections_.back().number(), text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return text;
  }
  // Of the last one.
  int number() {
    sync::MutexLock lock(mutex_);
    return connections_.back().number();
  }
  void CloseAll() { CloseAllBut(0); }
  // The last ones stay.
  void CloseAllBut(size_t last) {
    sync::MutexLock lock(mutex_);
    if (connections_.size() <= last) return;
    connections_.erase(connections_.begin(), connections_.end() - static_cast<ptrdiff_t>(last));
  }

 private:
  sync::Mutex mutex_;
  std::vector<Descriptor> connections_ WORMHOLE_GUARDED_BY(mutex_);
};

class AcceptLoopTest : public ::testing::Test {
 protected:
  void Start(ConnectionCaps caps) { Start(AcceptRules{.caps = caps}); }

  // 127.0.0.9 is a proxy.
  void StartBehindProxy(ConnectionCaps caps, absl::Duration patience = absl::Seconds(20)) {
    Start(AcceptRules{.caps = caps,
                      .proxies = {*net::Network::Parse("127.0.0.9/32")},
                      .header_patience = patience});
  }

  void Start(AcceptRules rules) {
    const auto [listener, port] = Listen();
    port_ = port;
    auto loop = AcceptLoop::Start({listener}, std::move(rules),
                                  [this](int, int connection) { served_.Take(connection); },
                                  {.observer = &arrivals_, .names = &names_});
    ASSERT_TRUE(loop.ok()) << loop.status();
    loop_ = *std::move(loop);
  }

  void Hold(int count, uint8_t host = 1) {
    for (int i = 0; i < count; ++i) held_.push_back(Connect(port_, host));
  }

  // Until one more is let in from there; each that is not is reset.
  void AwaitAdmission(uint8_t host) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    const int before = arrivals_.Count(Arrival::kAdmitted);
    while (arrivals_.Count(Arrival::kAdmitted) == before) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      const Descriptor client = Connect(port_, host);
      pollfd readable = {.fd = client.number(), .events = POLLIN, .revents = 0};
      poll(&readable, 1, 10);
    }
  }

  // Until as many are cut, of which this one is the last, and `later` have not been. The loop does
  // not look twice within milliseconds; when it stands still meanwhile it may have cut one more.
  void AwaitCutUnread(size_t held, int count, const std::vector<size_t>& later) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (arrivals_.flooding() < count) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      loop_->CutUnread();
      poll(nullptr, 0, 20);
    }
    EXPECT_EQ(AwaitEnd(held_[held]), 0);
    const bool open = std::ranges::all_of(later, [this](size_t other) {
      pollfd readable = {.fd = held_[other].number(), .events = POLLIN, .revents = 0};
      return poll(&readable, 1, 0) == 0;
    });
    EXPECT_TRUE(open || arrivals_.flooding() > count);
  }

  // The loop finds out by itself what has closed.
  void AwaitNoNames() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (names_.count() > 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      poll(nullptr, 0, 1);
    }
  }

  uint16_t port_ = 0;
  Arrivals arrivals_;
  ClientNames names_;
  Served served_;
  std::vector<Descriptor> held_;
  std::unique_ptr<AcceptLoop> loop_;  // last: it uses the others
};

TEST_F(AcceptLoopTest, WhoIsCutLosesTheConnectionsThatItHas) {
  Start({.in_all = 100, .per_address = 100});
  Hold(3);
  Hold(1, 2);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 4));
  loop_->Cut(*net::Address::Parse("127.0.0.1"));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(AwaitEnd(held_[i]), 0);
  pollfd readable = {.fd = held_[3].number(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&readable, 1, 0), 0);
  Hold(1);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 5));
  // Who goes on sending what nobody takes hears of it as well.
  served_.CloseAll();
  pollfd reset = {.fd = held_[0].number(), .events = 0, .revents = 0};
  EXPECT_EQ(poll(&reset, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())), 1);
  EXPECT_NE(reset.revents & POLLERR, 0);
}

TEST_F(AcceptLoopTest, AllAreCut) {
  Start({.in_all = 100, .per_address = 100});
  Hold(2);
  Hold(1, 2);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 3));
  loop_->CutAll();
  for (const Descriptor& client : held_) EXPECT_EQ(AwaitEnd(client), 0);
  Hold(1);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 4));
}

// Who has sent little may be anybody; and who is busy with what he is here for has much unread too.
TEST_F(AcceptLoopTest, OfWhomMuchIsUnreadIsCutAndThoseInUseGoLastAndTheWorstOfThem) {
  sync::Mutex mutex;
  std::set<std::string> busy;
  Start(AcceptRules{.caps = {.in_all = 100, .per_address = 100},
                    .in_use = [&](const std::string& peer) {
                      sync::MutexLock lock(mutex);
                      return busy.contains(peer);
                    }});
  Hold(4);
  {
    sync::MutexLock lock(mutex);
    busy = {NameOf(held_[1]), NameOf(held_[2])};
  }
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 4));
  Say(held_[0], std::string(1000, 'x'));
  Say(held_[1], std::string(5000, 'x'));
  Say(held_[2], std::string(6000, 'x'));
  Say(held_[3], std::string(5000, 'x'));
  AwaitCutUnread(3, 1, {1, 2});
  AwaitCutUnread(2, 2, {1});
  AwaitCutUnread(1, 3, {0});
  loop_->CutUnread();
  loop_->Cut(*net::Address::Parse("127.0.0.1"));
  EXPECT_EQ(AwaitEnd(held_[0]), 0);
  EXPECT_EQ(arrivals_.flooding(), 3);
}

// Where nobody can say what is in use, and where operators come.
TEST_F(AcceptLoopTest, OfWhomMuchIsUnreadTheWorstIsCut) {
  Start({.in_all = 100, .per_address = 100});
  Hold(2);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 2));
  Say(held_[0], std::string(6000, 'x'));
  Say(held_[1], std::string(5000, 'x'));
  AwaitCutUnread(0, 1, {1});
  AwaitCutUnread(1, 2, {});
}

// gRPC would go on reading.
TEST_F(AcceptLoopTest, WhatIsUnreadOfAConnectionThatIsCutIsLostAlsoIfItsClientHasLeft) {
  Start({.in_all = 100, .per_address = 100});
  Hold(1);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
  Say(held_[0], std::string(5000, 'x'));
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(held_[0].number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  held_.clear();  // a reset, after which nobody can shut the connection down
  loop_->CutAll();
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  int unread = 1;
  while (unread > 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    ASSERT_EQ(ioctl(served_.number(), FIONREAD, &unread), 0);
    poll(nullptr, 0, 1);
  }
}

// As gRPC does, which goes on reading a connection while more comes.
class TakerInHand : public ::testing::Test {
 protected:
  TakerInHand() {
    const auto [listener, port] = Listen();
    auto loop = AcceptLoop::Start(
        {listener}, AcceptRules{.caps = {.in_all = 100, .per_address = 100}},
        [this](int, int connection) {
          const Descriptor taken(connection);
          pollfd gone = {.fd = connection, .events = POLLRDHUP, .revents = 0};
          poll(&gone, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
          cut_ = (gone.revents & POLLRDHUP) != 0;
        },
        {.observer = &arrivals_});
    EXPECT_TRUE(loop.ok()) << loop.status();
    loop_ = *std::move(loop);
    client_ = Connect(port);
  }

  // Until the loop goes on.
  void CutUntilItGoesOn(const std::function<void()>& cut) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (arrivals_.Count(Arrival::kAdmitted) == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      cut();
      poll(nullptr, 0, 1);
    }
    EXPECT_TRUE(cut_);
  }

  std::atomic<bool> cut_ = false;
  Arrivals arrivals_;
  Descriptor client_;
  std::unique_ptr<AcceptLoop> loop_;  // last: it uses the others
};

TEST_F(TakerInHand, WhoHoldsUpTheLoopIsCutOff) {
  CutUntilItGoesOn([this] { loop_->CutWhoHoldsUp(); });
}

TEST_F(TakerInHand, WhoIsCutMayHoldUpTheLoop) {
  CutUntilItGoesOn([this] { loop_->Cut(*net::Address::Parse("127.0.0.1")); });
}

TEST_F(TakerInHand, OfWhomMuchIsUnreadMayHoldUpTheLoop) {
  Say(client_, std::string(5000, 'x'));
  CutUntilItGoesOn([this] { loop_->CutUnread(); });
}

TEST_F(TakerInHand, OfAllWhoAreCutOneMayHoldUpTheLoop) {
  CutUntilItGoesOn([this] { loop_->CutAll(); });
}

TEST_F(AcceptLoopTest, WhoMayNotConnectIsReset) {
  Start(AcceptRules{.caps = {.in_all = 100, .per_address = 100},
                    .refuse = [](const std::optional<net::Address>& client) {
                      return client == *net::Address::Parse("127.0.0.2")
                                 ? std::optional(Arrival::kTooOften)
                                 : std::nullopt;
                    }});
  EXPECT_EQ(AwaitEnd(Connect(port_, 2)), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kTooOften, 1));
  Hold(1);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
}

TEST_F(AcceptLoopTest, OneMoreThanAnAddressMayHaveIsReset) {
  Start({.in_all = 100, .per_address = 3});
  Hold(3);
  EXPECT_EQ(AwaitEnd(Connect(port_)), ECONNRESET);
  Hold(3, 2);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 6));
  // The reset comes before the count.
  EXPECT_TRUE(arrivals_.Await(Arrival::kTooManyFromAddress, 1));
  EXPECT_EQ(arrivals_.Count(Arrival::kTooManyFromAddress), 1);
}

// Of whoever has most of these, the oldest.
TEST_F(AcceptLoopTest, WhatIsOfNoUseGivesWayToANewcomer) {
  std::set<std::string> in_use;
  sync::Mutex mutex;
  Start(AcceptRules{.caps = {.in_all = 4, .per_address = 4},
                    .in_use =
                        [&](const std::string& peer) {
                          sync::MutexLock lock(mutex);
                          return in_use.contains(peer);
                        },
                    .in_use_after = absl::ZeroDuration()});
  Hold(3);
  Hold(1, 2);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 4));
  {
    sync::MutexLock lock(mutex);
    in_use.insert(NameOf(held_[0]));
    in_use.insert(NameOf(held_[2]));
    in_use.insert(NameOf(held_[3]));
  }
  AwaitAdmission(3);
  EXPECT_EQ(AwaitEnd(held_[1]), 0);
  EXPECT_EQ(arrivals_.gave_way(), 1);
  for (const size_t used : {0, 2, 3}) {
    pollfd readable = {.fd = held_[used].number(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&readable, 1, 0), 0) << used;
  }
}

TEST_F(AcceptLoopTest, NothingGivesWayForWhoMayNotConnect) {
  Start(AcceptRules{.caps = {.in_all = 2, .per_address = 2},
                    .refuse =
                        [](const std::optional<net::Address>& client) {
                          return client == *net::Address::Parse("127.0.0.2")
                                     ? std::optional(Arrival::kTooOften)
                                     : std::nullopt;
                        },
                    .in_use = [](const std::string&) { return false; },
                    .in_use_after = absl::ZeroDuration()});
  Hold(2);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 2));
  EXPECT_EQ(AwaitEnd(Connect(port_, 2)), ECONNRESET);
  for (const Descriptor& client : held_) {
    pollfd readable = {.fd = client.number(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&readable, 1, 0), 0);
  }
}

// More than two of them may say first for whom they come.
TEST_F(AcceptLoopTest, WhatIsOfNoUseGivesWayBehindAProxy) {
  Start(AcceptRules{.caps = {.in_all = 64, .per_address = 64},
                    .in_use = [](const std::string&) { return false; },
                    .in_use_after = absl::ZeroDuration(),
                    .proxies = {*net::Network::Parse("127.0.0.9/32")},
                    .header_patience = absl::Seconds(20)});
  Hold(64);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 64));
  std::vector<Descriptor> newcomers;
  for (int i = 0; i < 4; ++i) newcomers.push_back(Connect(port_, kProxy));
  Say(newcomers.back(), kHeader);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 65));
  EXPECT_EQ(arrivals_.Count(Arrival::kTooManyInAll), 0);
}

// What may be of use yet gives way only to those who have fewer of these.
TEST_F(AcceptLoopTest, WhatIsOfNoUseYetGivesWayToWhoHasFewer) {
  Start(AcceptRules{.caps = {.in_all = 2, .per_address = 2},
                    .in_use = [](const std::string&) { return false; },
                    .in_use_after = absl::Hours(1)});
  Hold(2);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 2));
  Hold(1, 2);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 3));
  EXPECT_EQ(AwaitEnd(held_[0]), 0);
}

TEST_F(AcceptLoopTest, WhatIsOfNoUseYetStaysForWhoHasAsMany) {
  Start(AcceptRules{.caps = {.in_all = 2, .per_address = 2},
                    .in_use = [](const std::string&) { return false; },
                    .in_use_after = absl::Hours(1)});
  Hold(1);
  Hold(1, 2);
  EXPECT_EQ(AwaitEnd(Connect(port_, 3)), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kTooManyInAll, 1));
}

TEST_F(AcceptLoopTest, OneMoreThanAllMayHaveIsReset) {
  Start({.in_all = 4, .per_address = 3});
  Hold(3);
  Hold(1, 2);
  EXPECT_EQ(AwaitEnd(Connect(port_, 3)), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 4));
  EXPECT_TRUE(arrivals_.Await(Arrival::kTooManyInAll, 1));
  EXPECT_EQ(arrivals_.Count(Arrival::kTooManyInAll), 1);
}

// Nobody tells the loop: it finds out when it is about to refuse.
TEST_F(AcceptLoopTest, WhatTheTakerHasClosedMakesRoom) {
  Start({.in_all = 8, .per_address = 4});
  for (int round = 0; round < 3; ++round) {
    Hold(4);
    Hold(4, 2);
    ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, (round + 1) * 8));
    held_.clear();
    served_.CloseAll();
  }
  EXPECT_EQ(arrivals_.Count(Arrival::kTooManyFromAddress), 0);
  EXPECT_EQ(arrivals_.Count(Arrival::kTooManyInAll), 0);
}

// See AcceptLoop on gRPC. Told of each change once, as gRPC is.
TEST_F(AcceptLoopTest, WhoMissesTheEndOfAConnectionIsToldAgain) {
  Start({.in_all = 10, .per_address = 10});
  Descriptor client = Connect(port_);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
  const Descriptor changes(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {}};
  ASSERT_EQ(epoll_ctl(changes.number(), EPOLL_CTL_ADD, served_.number(), &event), 0);
  Say(client, "read, and nothing after it");
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(setsockopt(client.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
  client.Close();
  constexpr auto kMost = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  do {
    ASSERT_EQ(epoll_wait(changes.number(), &event, 1, kMost), 1);
  } while ((event.events & EPOLLHUP) == 0);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(epoll_wait(changes.number(), &event, 1, kMost), 1) << i;
    EXPECT_NE(event.events & EPOLLHUP, 0u);
  }
}

TEST_F(AcceptLoopTest, AFileWithAConnectionsNumberIsNoConnection) {
  Start({.in_all = 8, .per_address = 1});
  Hold(1);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
  served_.CloseAll();
  // They take the numbers that are free, the connection's among them.
  std::vector<Descriptor> files;
  for (int i = 0; i < 20; ++i) files.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  AwaitAdmission(1);
}

TEST_F(AcceptLoopTest, TheOldestOfWhoHasTheMostGivesWay) {
  Start(AcceptRules{.caps = {.in_all = 4, .oldest_gives_way = true}});
  Hold(1, 2);
  Hold(3);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 4));
  Hold(1);
  EXPECT_EQ(AwaitEnd(held_[1]), 0);
  Hold(1, 3);
  EXPECT_EQ(AwaitEnd(held_[2]), 0);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 6));
  for (const size_t stays : {0, 3, 4, 5}) {
    pollfd readable = {.fd = held_[stays].number(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&readable, 1, 0), 0) << stays;
  }
}

// Those that have given way are still descriptors until who serves closes them.
TEST_F(AcceptLoopTest, ThereAreTwiceAsManyAtMostWhoeverIsSlowToClose) {
  Start(AcceptRules{.caps = {.in_all = 3, .oldest_gives_way = true}});
  Hold(6);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 6));
  EXPECT_EQ(AwaitEnd(Connect(port_)), ECONNRESET);
  served_.CloseAll();
  AwaitAdmission(1);
}

TEST_F(AcceptLoopTest, AThousandFromOneAddress) {
  Start({.in_all = 1500, .per_address = 1000});
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_GE(limit.rlim_cur, 2500u);
  Hold(1000);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1000));
  EXPECT_EQ(AwaitEnd(Connect(port_)), ECONNRESET);
  served_.CloseAll();
  AwaitAdmission(1);
}

// Lowers the limit on descriptors to so many more than are open.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const Descriptor next(open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next.number()) + more;
    setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_ = {};
};

// CVE-2023-4785: gRPC's own loop never accepts again after this.
TEST_F(AcceptLoopTest, WithoutDescriptorsItRefusesAndGoesOn) {
  Start({.in_all = 100, .per_address = 100});
  std::vector<Descriptor> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(clients.back().valid());
  }
  {
    const FewDescriptors none(0);
    ASSERT_LT(dup(0), 0);
    const sockaddr_in to = Loopback(port_);
    for (const Descriptor& client : clients) {
      ASSERT_EQ(connect(client.number(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
      EXPECT_EQ(AwaitEnd(client), ECONNRESET);
    }
  }
  // The reset comes before the count.
  EXPECT_TRUE(arrivals_.Await(Arrival::kNoDescriptors, 10));
  clients.clear();
  Hold(1);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
}

// What connections of clients leave is for those of operators, each for a moment.
TEST_F(AcceptLoopTest, WhereTheOldestGivesWayItDoesSoForTheLastDescriptors) {
  Start(AcceptRules{.caps = {.in_all = 100, .oldest_gives_way = true}});
  // With a limit of some size, clients leave sixteen.
  std::vector<Descriptor> others;
  for (int i = 0; i < 128; ++i) others.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::vector<Descriptor> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(clients.back().valid());
  }
  const FewDescriptors few(8);
  const sockaddr_in to = Loopback(port_);
  const auto join = [&](size_t i) {
    return connect(clients[i].number(), reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  };
  ASSERT_EQ(join(0), 0);
  for (size_t i = 1; i < clients.size(); ++i) {
    ASSERT_EQ(join(i), 0);
    EXPECT_EQ(AwaitEnd(clients[i - 1]), 0) << i;
    ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, static_cast<int>(i) + 1));
    served_.CloseAllBut(1);
  }
  EXPECT_EQ(arrivals_.Count(Arrival::kNoDescriptors), 0);
}

// A sandbox that forbids accept4, a network that is down: the connection goes on waiting.
TEST_F(AcceptLoopTest, AnErrorThatLastsDoesNotKeepItBusy) {
  Start({.in_all = 100, .per_address = 100});
  int admitted = 0;
  for (const int error : {EACCES, EPERM, EPROTO, ECONNABORTED, ENOMEM, EINVAL}) {
    const auto begin = std::chrono::steady_clock::now();
    const int before = accept_calls;
    accept_error = error;
    Hold(1);
    poll(nullptr, 0, 100);
    const int calls = accept_calls - before;
    const auto passed = std::chrono::steady_clock::now() - begin;
    accept_error = 0;
    // Eight, and a rest of 10 ms.
    EXPECT_LE(calls, 8 * (passed / std::chrono::milliseconds(10) + 2)) << error;
    EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, ++admitted)) << error;
    EXPECT_GT(accept_calls, before);
  }
}

TEST_F(AcceptLoopTest, ItLeavesDescriptorsForOthers) {
  Start({.in_all = 100, .per_address = 100});
  Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const FewDescriptors few(1);
  const sockaddr_in to = Loopback(port_);
  ASSERT_EQ(connect(client.number(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  EXPECT_EQ(AwaitEnd(client), ECONNRESET);
  // Once, on a busy machine, it came a moment later than the reset.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  Descriptor another(open("/dev/null", O_RDONLY | O_CLOEXEC));
  while (!another.valid() && std::chrono::steady_clock::now() < deadline) {
    another = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  EXPECT_TRUE(another.valid());
}

// The newcomer is refused: somebody who knocks all the time would else end what has just come.
TEST_F(AcceptLoopTest, WithoutDescriptorsWhatIsOfNoUseYetStays) {
  Start(AcceptRules{.caps = {.in_all = 100, .per_address = 100},
                    .in_use = [](const std::string&) { return false; },
                    .in_use_after = absl::Hours(1)});
  Hold(3);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 3));
  Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const FewDescriptors few(1);
  const sockaddr_in to = Loopback(port_, 2);
  ASSERT_EQ(connect(client.number(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
  EXPECT_EQ(AwaitEnd(client), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kNoDescriptors, 1));
  EXPECT_EQ(arrivals_.gave_way(), 0);
}

TEST_F(AcceptLoopTest, AProxySaysForWhomItConnects) {
  StartBehindProxy({.in_all = 100, .per_address = 100});
  const Descriptor client = Connect(port_, kProxy);
  Say(client, std::string(kHeader) + "hello");
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
  EXPECT_EQ(served_.Read(), "hello") << "the header is taken off";
  EXPECT_EQ(names_.Of(NameOf(client)), "ipv4:203.0.113.7:50312");
  served_.CloseAll();
  AwaitNoNames();
}

TEST_F(AcceptLoopTest, AHeaderMayComeInParts) {
  StartBehindProxy({.in_all = 100, .per_address = 100});
  const std::string text = std::string(kHeader) + "hello";
  const Descriptor client = Connect(port_, kProxy);
  for (const char c : text) {
    Say(client, std::string(1, c));
    // Somebody else is not held up.
    const Descriptor other = Connect(port_);
  }
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, static_cast<int>(text.size()) + 1));
  EXPECT_EQ(names_.Of(NameOf(client)), "ipv4:203.0.113.7:50312");
}

TEST_F(AcceptLoopTest, TheClientsAddressHasTheCapNotTheProxys) {
  StartBehindProxy({.in_all = 100, .per_address = 2});
  for (int i = 0; i < 2; ++i) {
    held_.push_back(Connect(port_, kProxy));
    Say(held_.back(), kHeader);
  }
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 2));
  held_.push_back(Connect(port_, kProxy));
  Say(held_.back(), kHeader);
  EXPECT_EQ(AwaitEnd(held_.back()), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kTooManyFromAddress, 1));
  held_.push_back(Connect(port_, kProxy));
  Say(held_.back(), "PROXY TCP4 203.0.113.8 198.51.100.1 50312 47180\r\n");
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 3));
}

TEST_F(AcceptLoopTest, AProxyChecksHealth) {
  StartBehindProxy({.in_all = 100, .per_address = 100});
  const Descriptor without = Connect(port_, kProxy);
  Say(without, "PRI * HTTP/2.0");
  ASSERT_TRUE(arrivals_.Await(Arrival::kProxysOwn, 1));
  EXPECT_EQ(served_.Read(), "PRI * HTTP/2.0");
  const Descriptor local = Connect(port_, kProxy);
  Say(local, std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0hello", 21));
  ASSERT_TRUE(arrivals_.Await(Arrival::kProxysOwn, 2));
  EXPECT_EQ(served_.Read(), "hello");
  const Descriptor itself = Connect(port_, kProxy);
  Say(itself, "PROXY TCP4 127.0.0.9 127.0.0.1 " + PortOf(itself) + " 47180\r\n");
  EXPECT_TRUE(arrivals_.Await(Arrival::kProxysOwn, 3));
  EXPECT_EQ(names_.count(), 0u);
  Connect(port_, kProxy).Close();
  EXPECT_TRUE(arrivals_.Await(Arrival::kProxysCheck, 1));
}

// Else it would take the relay for dead, and cut all who exchange something through it.
TEST_F(AcceptLoopTest, AProxyChecksHealthAlsoWhenNobodyElseIsLetIn) {
  StartBehindProxy({.in_all = 2, .per_address = 2});
  Hold(2);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 2));
  EXPECT_EQ(AwaitEnd(Connect(port_, 3)), ECONNRESET);
  const Descriptor check = Connect(port_, kProxy);
  Say(check, "PRI * HTTP/2.0");
  EXPECT_TRUE(arrivals_.Await(Arrival::kProxysOwn, 1));
  EXPECT_EQ(served_.Read(), "PRI * HTTP/2.0");
  // A few, since whatever has no header looks the same.
  std::vector<Descriptor> more;
  for (int n = 1; n < 8; ++n) {
    more.push_back(Connect(port_, kProxy));
    Say(more.back(), "PRI * HTTP/2.0");
    EXPECT_TRUE(arrivals_.Await(Arrival::kProxysOwn, n + 1));
  }
  const Descriptor ninth = Connect(port_, kProxy);
  Say(ninth, "PRI * HTTP/2.0");
  EXPECT_EQ(AwaitEnd(ninth), ECONNRESET);
}

// The client has gone, and who serves has not closed its end yet.
TEST_F(AcceptLoopTest, AProxysOwnConnectionFromAClientsPortHasNotTheClientsName) {
  StartBehindProxy({.in_all = 100, .per_address = 100});
  Descriptor client = Connect(port_, kProxy);
  Say(client, kHeader);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
  const uint16_t from_port = static_cast<uint16_t>(std::stoi(PortOf(client)));
  const std::string name = NameOf(client);
  ASSERT_NE(names_.Of(name), name);
  const linger at_once = {.l_onoff = 1, .l_linger = 0};  // a reset: the port is free again
  setsockopt(client.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  client.Close();
  const Descriptor own = Connect(port_, kProxy, from_port);
  Say(own, "PRI * HTTP/2.0");
  ASSERT_TRUE(arrivals_.Await(Arrival::kProxysOwn, 1));
  EXPECT_EQ(names_.Of(name), name);
}

// What is said may come too late, on a machine that stands still.
TEST_F(AcceptLoopTest, AHeaderThatDoesNotComeIsNotWaitedForLong) {
  StartBehindProxy({.in_all = 100, .per_address = 100}, absl::Milliseconds(50));
  const Descriptor silent = Connect(port_, kProxy);
  EXPECT_EQ(AwaitEnd(silent), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kHeaderMissing, 1));
  const Descriptor half = Connect(port_, kProxy);
  send(half.number(), "PROXY TCP4", 10, MSG_NOSIGNAL);
  EXPECT_EQ(AwaitEnd(half), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kHeaderMissing, 2));
}

TEST_F(AcceptLoopTest, AHeaderThatIsNoneEndsItsConnection) {
  StartBehindProxy({.in_all = 100, .per_address = 100});
  const Descriptor broken = Connect(port_, kProxy);
  Say(broken, "PROXY TCP4 nobody\r\n");
  EXPECT_EQ(AwaitEnd(broken), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kHeaderBroken, 1));
}

TEST_F(AcceptLoopTest, OneWhoLeavesInTheMiddleOfAHeaderIsNotWaitedFor) {
  StartBehindProxy({.in_all = 100, .per_address = 100});
  Descriptor half = Connect(port_, kProxy);
  Say(half, "PROXY TCP4");
  half.Close();
  EXPECT_TRUE(arrivals_.Await(Arrival::kHeaderMissing, 1));
}

TEST_F(AcceptLoopTest, AHeaderFromAnywhereElseIsLeftToWhoServes) {
  StartBehindProxy({.in_all = 100, .per_address = 100});
  const Descriptor client = Connect(port_, 8);
  Say(client, kHeader);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
  std::string read;
  for (int i = 0; read.empty() && i < 1000; ++i) {
    poll(nullptr, 0, 1);
    read = served_.Read();
  }
  EXPECT_EQ(read, kHeader);
  EXPECT_EQ(names_.count(), 0u);
}

TEST_F(AcceptLoopTest, SilentProxiesDoNotPileUp) {
  StartBehindProxy({.in_all = 5000, .per_address = 5000});
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  Hold(1025, kProxy);
  EXPECT_TRUE(arrivals_.Await(Arrival::kTooManyHeaders, 1));
  Hold(1);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 1));
}

TEST_F(AcceptLoopTest, HeadersThatAreToComeCountForTheCapInAll) {
  StartBehindProxy({.in_all = 4, .per_address = 4});
  Hold(2, kProxy);
  Hold(2);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 2));
  EXPECT_EQ(AwaitEnd(Connect(port_, kProxy)), ECONNRESET);
  EXPECT_EQ(AwaitEnd(Connect(port_, 3)), ECONNRESET);
  EXPECT_TRUE(arrivals_.Await(Arrival::kTooManyInAll, 2));
  Say(held_[0], kHeader);
  EXPECT_TRUE(arrivals_.Await(Arrival::kAdmitted, 3));
}

TEST(AcceptLoopStartTest, ASystemWithoutCookiesIsNamedAtOnce) {
  cookies = false;
  const auto loop = AcceptLoop::Start({Listen().first}, AcceptRules(), [](int, int) {});
  cookies = true;
  ASSERT_EQ(loop.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(loop.status().message()), ::testing::HasSubstr("SO_COOKIE"));
}

TEST_F(AcceptLoopTest, OnceItHasStoppedNobodyListens) {
  Start({.in_all = 100, .per_address = 100});
  Hold(5);
  ASSERT_TRUE(arrivals_.Await(Arrival::kAdmitted, 5));
  loop_->Stop();
  const Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = Loopback(port_);
  EXPECT_EQ(connect(client.number(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
  loop_->Stop();  // again is no harm
}

}  // namespace
}  // namespace wormhole::relay
