#include "relay/accept/accept_loop.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "relay/accept/peer_name.h"
#include "relay/accept/proxy_header.h"

namespace wormhole::relay {
namespace {

// How often the loop looks for headers that are late, while it awaits any; and how many it may
// await: as many as a proxy with a burst of clients brings.
constexpr absl::Duration kLatePause = absl::Milliseconds(100);
constexpr size_t kMaxAwaited = 1024;
// And how many of these, and of connections of a proxy's own, there may be when there is no room
// for anybody else.
constexpr size_t kAwaitedAlways = 2;
constexpr size_t kChecksOfProxy = 8;
// Connections that one listener may bring before the others, and the end, have their turn.
constexpr int kAtATime = 64;
// Failures in a row that may be those of connections; more of them are the listener's.
constexpr int kFailures = 8;
// How often the loop checks connections although it refuses nobody, and how many: the counts are
// then true within a minute for 60,000 of them.
constexpr absl::Duration kSweepPause = absl::Seconds(1);
// What gRPC does with a connection that has said nothing yet takes less than a millisecond.
constexpr absl::Duration kLongestHandOver = absl::Seconds(1);
constexpr size_t kSweep = 1000;
// More than a TLS client says first; and how often the loop looks for it.
constexpr int kMuchUnread = 2048;
constexpr absl::Duration kUnreadPause = absl::Milliseconds(10);
// After an error that may last: long enough not to spin, short for a client.
constexpr int kRestMilliseconds = 10;
// Most rests for one connection, until those that have given way are closed.
constexpr int kRests = 10;
// Descriptors that connections leave for the store, certificates and the other ports; of a small
// limit, an eighth. Those at ports where the oldest gives way leave a quarter of these.
constexpr rlim_t kLeft = 16;
constexpr rlim_t kLeftByAll = kLeft / 4;

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// The kernel gives the lowest number that is free, so that a number tells how many are taken.
bool IsAmongTheLast(int number, rlim_t most = kLeft) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  const rlim_t left = std::min(most, limit.rlim_cur * most / (8 * kLeft));
  return static_cast<rlim_t>(number) + left >= limit.rlim_cur;
}

std::optional<uint64_t> CookieOf(int socket) {
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return std::nullopt;
  return cookie;
}

// 0 of a path. Both kinds of IP address have the port at the same place.
uint16_t PortOf(const sockaddr_storage& socket) {
  if (socket.ss_family != AF_INET && socket.ss_family != AF_INET6) return 0;
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return ntohs(reinterpret_cast<const sockaddr_in&>(socket).sin_port);
}

// 0.0.0.0, which nobody has, for all who come by a path.
net::Address AddressOf(const sockaddr_storage& socket) {
  if (socket.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(socket);
    return net::Address::V6(std::span(v6.sin6_addr.s6_addr)).Unmapped();
  }
  if (socket.ss_family != AF_INET) return net::Address();
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(socket);
  return net::Address::V4(std::span<const uint8_t, 4>(
      reinterpret_cast<const uint8_t*>(&v4.sin_addr.s_addr), sizeof(v4.sin_addr.s_addr)));
}

// Nobody has 0.0.0.0.
std::optional<net::Address> ClientAt(const net::Address& address) {
  if (address == net::Address()) return std::nullopt;
  return address;
}

// Looks at what has come, and takes off a header that is complete. None: the other end has gone,
// and nothing is left to read.
std::optional<ProxyHeader> TakeHeader(int connection) {
  std::array<char, kMaxProxyHeader> begin;
  const ssize_t size = recv(connection, begin.data(), begin.size(), MSG_PEEK);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return ProxyHeader();
  if (size <= 0) return std::nullopt;
  const ProxyHeader header = ParseProxyHeader({begin.data(), static_cast<size_t>(size)});
  if (header.size > 0 && recv(connection, begin.data(), header.size, 0) < 0) return std::nullopt;
  return header;
}

Arrival Refusal(ConnectionLimits::Verdict verdict) {
  return verdict == ConnectionLimits::Verdict::kTooManyInAll ? Arrival::kTooManyInAll
                                                             : Arrival::kTooManyFromAddress;
}

absl::Status Lacking(const char* what) {
  return absl::UnavailableError(absl::StrCat("cannot accept connections: ", what, ": ",
                                             std::generic_category().message(errno),
                                             "; look at this process's limits and its sandbox"));
}

// The other end is told by a reset when this one closes, also if it does not read; and the system
// keeps nothing for it.
void ResetWhenClosed(int socket) {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

// How many bytes have come that nobody has read.
int Unread(int socket) {
  int bytes = 0;
  return ioctl(socket, FIONREAD, &bytes) == 0 ? bytes : 0;
}

// Of a socket that has been shut down, so that nothing more comes. The kernel keeps six megabytes
// of a connection at most.
void DiscardUnread(int socket) {
  std::array<char, 16384> bytes;
  for (int i = 0; i < 400; ++i) {
    if (recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT) <= 0) return;
  }
}

Descriptor OpenReserve() { return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

absl::StatusOr<std::unique_ptr<AcceptLoop>> AcceptLoop::Start(std::vector<int> listeners,
                                                              AcceptRules rules, Taker taker,
                                                              AcceptWitnesses witnesses) {
  auto loop = absl::WrapUnique(
      new AcceptLoop(std::move(listeners), std::move(rules), std::move(taker), witnesses));
  if (absl::Status prepared = loop->Prepare(); !prepared.ok()) return prepared;
  loop->thread_ = std::thread([loop = loop.get()] { loop->Run(); });
  return loop;
}

AcceptLoop::AcceptLoop(std::vector<int> listeners, AcceptRules rules, Taker taker,
                       AcceptWitnesses witnesses)
    : rules_(std::move(rules)),
      taker_(std::move(taker)),
      witnesses_(witnesses),
      limits_(rules_.caps) {
  for (const int listener : listeners) listeners_.emplace_back(listener);
}

absl::Status AcceptLoop::Prepare() {
  reserve_ = OpenReserve();
  if (!reserve_.valid()) return Lacking("/dev/null");
  end_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!end_.valid()) return Lacking("eventfd");
  poll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  if (!poll_.valid()) return Lacking("epoll");
  epoll_event event = {.events = EPOLLIN, .data = {.fd = end_.number()}};
  if (epoll_ctl(poll_.number(), EPOLL_CTL_ADD, end_.number(), &event) != 0) return Lacking("epoll");
  wake_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) return Lacking("eventfd");
  event.data.fd = wake_.number();
  if (epoll_ctl(poll_.number(), EPOLL_CTL_ADD, wake_.number(), &event) != 0) {
    return Lacking("epoll");
  }
  for (const Descriptor& listener : listeners_) {
    // Without cookies each connection would be refused: better to say so now.
    if (!CookieOf(listener.number())) return Lacking("SO_COOKIE of a socket (Linux 4.12)");
    event.data.fd = listener.number();
    if (epoll_ctl(poll_.number(), EPOLL_CTL_ADD, listener.number(), &event) != 0) {
      return Lacking("epoll");
    }
  }
  return absl::OkStatus();
}

void AcceptLoop::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    // It cannot fail: the count is 0.
    [[maybe_unused]] const ssize_t written = write(end_.number(), &one, sizeof(one));
    thread_.join();
  }
  listeners_.clear();
  awaited_.clear();
}

void AcceptLoop::Cut(const net::Address& client) {
  {
    sync::MutexLock lock(mutex_);
    const net::Address address = ConnectionLimits::Counted(client);
    // The thread may be busy with just this one.
    if (in_hand_ && in_hand_->client == address) Shut(in_hand_->id);
    if (std::ranges::find(to_cut_, address) != to_cut_.end()) return;
    to_cut_.push_back(address);
  }
  Wake();
}

void AcceptLoop::CutAll() {
  {
    sync::MutexLock lock(mutex_);
    if (in_hand_) Shut(in_hand_->id);  // as above
    cut_all_ = true;
  }
  Wake();
}

void AcceptLoop::CutUnread() {
  bool cut = false;
  {
    sync::MutexLock lock(mutex_);
    cut = in_hand_ && Unread(in_hand_->id.number) >= kMuchUnread;
    if (cut) Shut(in_hand_->id);
    cut_unread_ = true;
  }
  if (cut && witnesses_.observer != nullptr) witnesses_.observer->OnFlooding();
  Wake();
}

std::optional<net::Address> AcceptLoop::CutWhoHoldsUp() {
  sync::MutexLock lock(mutex_);
  if (!in_hand_ || SteadyNow() - in_hand_->since < kLongestHandOver) return std::nullopt;
  Shut(in_hand_->id);
  return ClientAt(in_hand_->client);
}

void AcceptLoop::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.number(), &one, sizeof(one));
}

// Through a number of its own: gRPC may close the connection, and another thread open something
// under its number, which would lose what it is sent. When there is no number left, that something
// may be shut down, and what is unread stays.
void AcceptLoop::Shut(const ConnectionId& connection) {
  const Descriptor own(fcntl(connection.number, F_DUPFD_CLOEXEC, 0));
  const int socket = own.valid() ? own.number() : connection.number;
  if (CookieOf(socket) != connection.cookie) return;
  ResetWhenClosed(socket);
  shutdown(socket, SHUT_RDWR);  // fails when its client has cut it
  if (own.valid()) DiscardUnread(socket);
}

// What gRPC has said last may still be on its way: no reset.
void AcceptLoop::TellOfEnd(const ConnectionId& connection) {
  if (CookieOf(connection.number) == connection.cookie) shutdown(connection.number, SHUT_RDWR);
}

void AcceptLoop::CutThoseNoted() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = read(wake_.number(), &count, sizeof(count));
  std::vector<net::Address> noted;
  bool all = false;
  bool unread = false;
  {
    sync::MutexLock lock(mutex_);
    noted.swap(to_cut_);
    all = std::exchange(cut_all_, false);
    unread = std::exchange(cut_unread_, false);
  }
  for (const net::Address& address : noted) {
    for (const ConnectionId& id : limits_.Of(address)) Shut(id);
  }
  if (unread) CutThoseWithUnread();
  if (!all) return;
  for (const ConnectionId& id : limits_.NextInTurn(limits_.count())) Shut(id);
}

void AcceptLoop::CutThoseWithUnread() {
  const absl::Duration now = SteadyNow();
  if (now - unread_at_ < kUnreadPause) return;
  unread_at_ = now;
  std::pair<int, ConnectionId> most_in_use = {kMuchUnread - 1, {}};
  bool any = false;
  for (const ConnectionId& id : limits_.NextInTurn(limits_.count())) {
    const int unread = CookieOf(id.number) == id.cookie ? Unread(id.number) : 0;
    if (unread < kMuchUnread) continue;
    if (!rules_.in_use || UseOf(id, now) == ConnectionLimits::Use::kInUse) {
      if (unread > most_in_use.first) most_in_use = {unread, id};
      continue;
    }
    any = true;
    CutFlooding(id);
  }
  if (!any && most_in_use.first >= kMuchUnread) CutFlooding(most_in_use.second);
}

void AcceptLoop::CutFlooding(const ConnectionId& connection) {
  Shut(connection);
  if (witnesses_.observer != nullptr) witnesses_.observer->OnFlooding();
}

void AcceptLoop::Run() {
  std::array<epoll_event, 16> events;
  while (true) {
    const absl::Duration pause = awaited_.empty() ? kSweepPause : kLatePause;
    const int count = epoll_wait(poll_.number(), events.data(), events.size(),
                                 static_cast<int>(absl::ToInt64Milliseconds(pause)));
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      const int ready = event.data.fd;
      if (ready == end_.number()) return;
      if (ready == wake_.number()) {
        CutThoseNoted();
        continue;
      }
      if (awaited_.contains(ready)) {
        ReadHeader(ready, (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
      } else {
        AcceptFrom(ready);
      }
    }
    const absl::Duration now = SteadyNow();
    EndThoseThatAreLate(now);
    if (now - swept_at_ < kSweepPause) continue;
    swept_at_ = now;
    CheckForEnds(limits_.NextInTurn(kSweep));
  }
}

void AcceptLoop::AcceptFrom(int listener) {
  int failures = 0;
  for (int i = 0; i < kAtATime; ++i) {
    const Tried tried = AcceptOne(listener);
    if (tried == Tried::kNoMore) return;
    failures = tried == Tried::kFailed ? failures + 1 : 0;
    // The listener stays readable: without a rest the thread would do nothing else.
    if (failures == kFailures) return Rest();
  }
}

AcceptLoop::Tried AcceptLoop::AcceptOne(int listener) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  Descriptor connection(accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection.valid()) return Recover(listener, errno);
  Forget(connection.number());  // what had it before
  const Peer peer = {.address = AddressOf(address), .port = PortOf(address)};
  const bool proxy = std::ranges::any_of(
      rules_.proxies, [&](const net::Network& some) { return some.Contains(peer.address); });
  if (IsAmongTheLast(connection.number())) {
    Descriptor reserved = TakeReserved(connection);
    if (!reserved.valid()) {
      // For the next one; this one is refused, so that it takes nobody's who has just come.
      if (!proxy) CutUnused(peer.address, /*also_young=*/false);
      Refuse(std::move(connection), Arrival::kNoDescriptors);
      return Tried::kAccepted;
    }
    connection = std::move(reserved);
  }
  if (proxy) {
    AwaitHeader(listener, std::move(connection), peer);
  } else {
    Receive(listener, std::move(connection), peer, peer, Arrival::kAdmitted);
  }
  return Tried::kAccepted;
}

AcceptLoop::Tried AcceptLoop::Recover(int listener, int error) {
  switch (error) {
    case EAGAIN:
      return Tried::kNoMore;
    case EMFILE:
    case ENFILE:
      return RefuseWithReserve(listener);
    // That connection's own: it has gone, or its network has.
    case ECONNABORTED:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EINTR:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPROTO:
    case ETIMEDOUT:
      return Tried::kFailed;
    // Not enough memory (ENOBUFS, ENOMEM), not allowed (EACCES, EPERM: a sandbox, a firewall), or
    // what nobody has thought of: it may last.
    default:
      Rest();
      return Tried::kNoMore;
  }
}

AcceptLoop::Tried AcceptLoop::RefuseWithReserve(int listener) {
  if (rules_.caps.oldest_gives_way && CutOldest()) {
    Rest();
    return Tried::kNoMore;  // it still waits at the listener
  }
  reserve_.Close();
  Descriptor connection(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  const bool accepted = connection.valid();
  if (accepted) Refuse(std::move(connection), Arrival::kNoDescriptors);
  const int error = accepted ? 0 : errno;
  reserve_ = OpenReserve();
  if (accepted) return Tried::kAccepted;
  // EAGAIN: it has gone. Else another thread was faster, and the connection still waits.
  if (error != EAGAIN) Rest();
  return Tried::kNoMore;
}

void AcceptLoop::AwaitHeader(int listener, Descriptor connection, const Peer& proxy) {
  if (awaited_.size() >= kMaxAwaited) {
    return Refuse(std::move(connection), Arrival::kTooManyHeaders);
  }
  limits_.SetNameless(awaited_.size());
  // Where some may give way, it has to be known for whom.
  const size_t always =
      rules_.in_use ? std::max(kAwaitedAlways, rules_.caps.in_all / 16) : kAwaitedAlways;
  if (awaited_.size() >= always && limits_.JudgeNameless() != ConnectionLimits::Verdict::kAdmit) {
    CheckForEnds(limits_.Suspects(ConnectionLimits::Verdict::kTooManyInAll, {}, SteadyNow()));
    if (limits_.JudgeNameless() != ConnectionLimits::Verdict::kAdmit) {
      return Refuse(std::move(connection), Arrival::kTooManyInAll);
    }
  }
  const int number = connection.number();
  // Told of each part once: what has come is left where it is until the header is complete.
  epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.fd = number}};
  if (epoll_ctl(poll_.number(), EPOLL_CTL_ADD, number, &event) != 0) {
    return Refuse(std::move(connection), Arrival::kTooManyHeaders);
  }
  awaited_.emplace(number, Awaited{.connection = std::move(connection),
                                   .listener = listener,
                                   .proxy = proxy,
                                   .until = SteadyNow() + rules_.header_patience});
}

void AcceptLoop::ReadHeader(int number, bool gone) {
  const std::optional<ProxyHeader> header = TakeHeader(number);
  if (header && header->kind == ProxyHeader::Kind::kIncomplete && !gone) return;
  Awaited arrived = std::move(awaited_.extract(number).mapped());
  epoll_ctl(poll_.number(), EPOLL_CTL_DEL, number, nullptr);
  if (!header) return Tell(Arrival::kProxysCheck);
  switch (header->kind) {
    case ProxyHeader::Kind::kIncomplete:
      return Refuse(std::move(arrived.connection), Arrival::kHeaderMissing);
    case ProxyHeader::Kind::kMalformed:
      return Refuse(std::move(arrived.connection), Arrival::kHeaderBroken);
    case ProxyHeader::Kind::kNone:
    case ProxyHeader::Kind::kLocal:
      return Receive(arrived.listener, std::move(arrived.connection), arrived.proxy, arrived.proxy,
                     Arrival::kProxysOwn);
    case ProxyHeader::Kind::kClient: {
      const Peer client = {.address = header->client, .port = header->port};
      // Version 1 has no LOCAL: a proxy that checks health names itself.
      const Arrival as = client == arrived.proxy ? Arrival::kProxysOwn : Arrival::kAdmitted;
      return Receive(arrived.listener, std::move(arrived.connection), arrived.proxy, client, as);
    }
  }
}

void AcceptLoop::EndThoseThatAreLate(absl::Duration now) {
  for (auto next = awaited_.begin(); next != awaited_.end();) {
    const auto awaited = next++;
    if (awaited->second.until > now) continue;
    // Closing it takes it from the poll.
    Refuse(std::move(awaited->second.connection), Arrival::kHeaderMissing);
    awaited_.erase(awaited);
  }
}

void AcceptLoop::Receive(int listener, Descriptor connection, const Peer& peer, const Peer& client,
                         Arrival as) {
  // What a proxy passes on without a header looks like a check: hence a few.
  const bool checks =
      as == Arrival::kProxysOwn && limits_.Of(client.address).size() < kChecksOfProxy;
  if (!checks) {
    if (const auto refusal = WhyNot(client.address)) return Refuse(std::move(connection), *refusal);
  }
  const std::optional<uint64_t> cookie = CookieOf(connection.number());
  if (!cookie) return Refuse(std::move(connection), Arrival::kNoDescriptors);
  limits_.Opened({connection.number(), *cookie}, client.address);
  const absl::Duration now = SteadyNow();
  if (as == Arrival::kAdmitted) {
    const bool named = client != peer && witnesses_.names != nullptr;
    if (named) {
      witnesses_.names->Set(PeerName(peer.address, peer.port), *cookie,
                            PeerName(client.address, client.port));
    }
    held_[connection.number()] = {.peer = peer, .cookie = *cookie, .since = now, .named = named};
  }
  // The earlier connection from there has closed, though no check has found that yet.
  if (as == Arrival::kProxysOwn && witnesses_.names != nullptr) {
    witnesses_.names->Forget(PeerName(peer.address, peer.port));
  }
  const HandedOver in_hand = {.id = {connection.number(), *cookie},
                              .client = ConnectionLimits::Counted(client.address),
                              .since = now};
  HandOver(listener, std::move(connection), in_hand);
  if (witnesses_.observer != nullptr) witnesses_.observer->OnClient(as, client.address);
  Tell(as);
}

std::optional<Arrival> AcceptLoop::WhyNot(const net::Address& client) {
  using Verdict = ConnectionLimits::Verdict;
  const Verdict verdict = Judge(client);
  const bool may_have_room = verdict == Verdict::kTooManyInAll && rules_.in_use;
  if (verdict == Verdict::kAdmit || verdict == Verdict::kGiveWay || may_have_room) {
    // Before anybody gives way for it.
    if (rules_.refuse) {
      if (const auto refusal = rules_.refuse(ClientAt(client))) return refusal;
    }
    if (verdict == Verdict::kGiveWay) CutOldest();
    if (!may_have_room || CutUnused(client, /*also_young=*/true)) return std::nullopt;
  }
  const Arrival refusal = Refusal(verdict);
  if (witnesses_.observer != nullptr) witnesses_.observer->OnClient(refusal, client);
  return refusal;
}

void AcceptLoop::HandOver(int listener, Descriptor connection, const HandedOver& in_hand) {
  {
    sync::MutexLock lock(mutex_);
    in_hand_ = in_hand;
  }
  taker_(listener, connection.Release());
  bool noted = false;
  {
    sync::MutexLock lock(mutex_);
    in_hand_.reset();
    noted = cut_all_ || cut_unread_ || !to_cut_.empty();
  }
  // Before the next is accepted, who was not meant.
  if (noted) CutThoseNoted();
}

ConnectionLimits::Verdict AcceptLoop::Judge(const net::Address& from) {
  limits_.SetNameless(awaited_.size());
  const ConnectionLimits::Verdict verdict = limits_.Judge(from);
  if (verdict == ConnectionLimits::Verdict::kAdmit) return verdict;
  CheckForEnds(limits_.Suspects(verdict, from, SteadyNow()));
  ConnectionLimits::Verdict after = limits_.Judge(from);
  if (!rules_.caps.oldest_gives_way) return after;
  for (int i = 0; i < kRests && after == ConnectionLimits::Verdict::kTooManyInAll; ++i) {
    Rest();
    CheckForEnds(limits_.Suspects(after, from, SteadyNow()));
    after = limits_.Judge(from);
  }
  return after;
}

Descriptor AcceptLoop::TakeReserved(Descriptor& connection) {
  if (!rules_.caps.oldest_gives_way) return Descriptor();
  CutOldest();
  if (!IsAmongTheLast(connection.number(), kLeftByAll)) return std::move(connection);
  for (int i = 0; i < kRests; ++i) {
    Rest();
    // The lowest number that is free by now.
    Descriptor lower(fcntl(connection.number(), F_DUPFD_CLOEXEC, 0));
    if (!lower.valid() || IsAmongTheLast(lower.number(), kLeftByAll)) continue;
    Forget(lower.number());  // what had it before
    return lower;
  }
  return Descriptor();
}

bool AcceptLoop::CutOldest() {
  const std::optional<ConnectionId> oldest = limits_.GiveWay();
  if (oldest) Shut(*oldest);
  return oldest.has_value();
}

bool AcceptLoop::CutUnused(const net::Address& newcomer, bool also_young) {
  if (!rules_.in_use) return false;
  const absl::Duration now = SteadyNow();
  const ConnectionLimits::UseOf use_of = [&](const ConnectionId& id) { return UseOf(id, now); };
  limits_.FindUnused(now, use_of);
  const std::optional<ConnectionId> goes = limits_.MakeRoom(newcomer, also_young, use_of);
  if (!goes) return false;
  Shut(*goes);
  if (witnesses_.observer != nullptr) witnesses_.observer->OnGaveWay();
  return true;
}

// What is no client's is of use to its proxy.
ConnectionLimits::Use AcceptLoop::UseOf(const ConnectionId& connection, absl::Duration now) const {
  using Use = ConnectionLimits::Use;
  const auto found = held_.find(connection.number);
  if (found == held_.end() || found->second.cookie != connection.cookie) return Use::kInUse;
  const Held& held = found->second;
  if (rules_.in_use(PeerName(held.peer.address, held.peer.port))) return Use::kInUse;
  return now - held.since < rules_.in_use_after ? Use::kNotYet : Use::kNone;
}

void AcceptLoop::CheckForEnds(const std::vector<ConnectionId>& connections) {
  std::vector<ConnectionId> open;
  std::vector<pollfd> ends;
  for (const ConnectionId& connection : connections) {
    if (CookieOf(connection.number) != connection.cookie) {
      Forget(connection.number);
      continue;
    }
    open.push_back(connection);
    ends.push_back({.fd = connection.number, .events = 0, .revents = 0});
  }
  if (poll(ends.data(), ends.size(), 0) <= 0) return;
  for (size_t i = 0; i < ends.size(); ++i) {
    if ((ends[i].revents & POLLHUP) != 0) TellOfEnd(open[i]);
  }
}

void AcceptLoop::Forget(int number) {
  limits_.Closed(number);
  const auto found = held_.find(number);
  if (found == held_.end()) return;
  const Held& held = found->second;
  if (held.named)
    witnesses_.names->Forget(PeerName(held.peer.address, held.peer.port), held.cookie);
  held_.erase(found);
}

void AcceptLoop::Refuse(Descriptor connection, Arrival why) {
  ResetWhenClosed(connection.number());
  connection.Close();
  Tell(why);
}

void AcceptLoop::Tell(Arrival arrival) {
  if (witnesses_.observer != nullptr) witnesses_.observer->OnArrival(arrival);
}

void AcceptLoop::Rest() {
  pollfd end = {.fd = end_.number(), .events = POLLIN, .revents = 0};
  poll(&end, 1, kRestMilliseconds);
}

}  // namespace wormhole::relay
