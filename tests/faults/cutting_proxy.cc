#include "tests/faults/cutting_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "tests/faults/loopback.h"

namespace wormhole::faults {
namespace {

constexpr size_t kPrefaceBytes = 24;
constexpr size_t kHeaderBytes = 9;

// Cuts a stream of bytes at the borders of its frames (RFC 9113, section 4.1).
class FrameSplitter {
 public:
  explicit FrameSplitter(bool from_client) : preface_(from_client) {}

  void Add(const char* bytes, size_t size) { pending_.append(bytes, size); }
  std::optional<std::string> Next() {
    const size_t size = NextSize();
    if (size == 0 || pending_.size() < size) return std::nullopt;
    preface_ = false;
    std::string frame = pending_.substr(0, size);
    pending_.erase(0, size);
    return frame;
  }

 private:
  size_t NextSize() const {
    if (preface_) return kPrefaceBytes;
    if (pending_.size() < kHeaderBytes) return 0;
    const auto byte = [this](int i) { return static_cast<unsigned char>(pending_[i]); };
    return kHeaderBytes + (byte(0) << 16 | byte(1) << 8 | byte(2));
  }

  bool preface_;
  std::string pending_;
};

bool SendAll(int socket, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t size = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    sent += static_cast<size_t>(size);
  }
  return true;
}

}  // namespace

struct CuttingProxy::Link {
  int client = -1;
  int relay = -1;
  FrameSplitter up{/*from_client=*/true};
  FrameSplitter down{/*from_client=*/false};
};

CuttingProxy::CuttingProxy(const std::string& relay, Cut cut)
    : relay_(relay),
      cut_(cut),
      listener_(ListenOnLoopback()),
      address_(AddressOf(listener_)),
      acceptor_([this] { Accept(); }) {}

CuttingProxy::~CuttingProxy() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    for (const int socket : open_) shutdown(socket, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  threads_.clear();
  close(listener_);
}

void CuttingProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    threads_.emplace_back([this, client] { Serve(client); });
  }
}

void CuttingProxy::Serve(int client) {
  Link link = {.client = client, .relay = ConnectTo(relay_)};
  {
    const std::scoped_lock lock(mutex_);
    open_.insert({link.client, link.relay});
    if (stopping_) shutdown(client, SHUT_RDWR);
  }
  const bool had_cut = has_cut_;
  while (link.relay >= 0) {
    pollfd fds[2] = {{link.client, POLLIN, 0}, {link.relay, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
    if (fds[0].revents != 0 && !Pass(link, /*towards_relay=*/true)) break;
    if (fds[1].revents != 0 && !Pass(link, /*towards_relay=*/false)) break;
  }
  const bool reset = cut_.reset && !had_cut && has_cut_;
  Close(link.client, reset);
  Close(link.relay, reset);
}

bool CuttingProxy::Pass(Link& link, bool towards_relay) {
  const int from = towards_relay ? link.client : link.relay;
  const int to = towards_relay ? link.relay : link.client;
  FrameSplitter& frames = towards_relay ? link.up : link.down;
  char buffer[65536];
  const ssize_t size = recv(from, buffer, sizeof(buffer), 0);
  if (size <= 0) return size < 0 && errno == EINTR;
  frames.Add(buffer, static_cast<size_t>(size));
  while (std::optional<std::string> frame = frames.Next()) {
    if (!SendAll(to, *frame) || IsLast(towards_relay)) return false;
  }
  return true;
}

bool CuttingProxy::IsLast(bool towards_relay) {
  if (towards_relay != cut_.towards_relay || ++frames_ != cut_.after_frames) return false;
  has_cut_ = true;
  return true;
}

void CuttingProxy::Close(int socket, bool reset) {
  if (socket < 0) return;
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  if (reset) setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  const std::scoped_lock lock(mutex_);
  open_.erase(socket);
  close(socket);
}

}  // namespace wormhole::faults
