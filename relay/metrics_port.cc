#include "relay/metrics_port.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace wormhole::relay {
namespace {

constexpr char kPath[] = "/metrics";
constexpr size_t kMaxExchanges = 64;
// From one listener at a time: so whoever is accepted is looked at before he can be the oldest.
constexpr size_t kMaxAccepted = 16;
constexpr std::chrono::seconds kPatience(10);
constexpr std::chrono::milliseconds kNoDescriptorPause(100);

int MillisecondsUntil(std::chrono::steady_clock::time_point when) {
  const auto left = when - std::chrono::steady_clock::now();
  return static_cast<int>(
      std::max<int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(left).count()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsPort>> MetricsPort::Start(const std::string& listen,
                                                                Collectables collectables) {
  auto port = absl::WrapUnique(new MetricsPort(std::move(collectables)));
  absl::Status listening = port->listeners_.Open(listen);
  if (port->stop_ < 0) listening = absl::UnavailableError("this process may open no more files");
  if (!listening.ok()) {
    return absl::UnavailableError(absl::StrCat("--metrics-listen: ", listening.message()));
  }
  port->thread_ = std::thread([raw = port.get()] { raw->Loop(); });
  return port;
}

MetricsPort::MetricsPort(Collectables collectables)
    : collectables_(std::move(collectables)), stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

MetricsPort::~MetricsPort() {
  if (thread_.joinable()) {
    eventfd_write(stop_, 1);
    thread_.join();
  }
  close(stop_);
}

void MetricsPort::Loop() {
  while (true) {
    const std::vector<pollfd> ready = Await();
    if (ready.front().revents != 0) return;
    const Clock::time_point now = Clock::now();
    // What is polled last are the exchanges.
    size_t index = ready.size() - exchanges_.size();
    std::erase_if(exchanges_, [&](const std::unique_ptr<HttpExchange>& exchange) {
      if (ready[index++].revents == 0) return exchange->deadline() <= now;
      return !exchange->Advance(kPath, [this] { return WritePage(); });
    });
    AcceptAll();
  }
}

std::vector<pollfd> MetricsPort::Await() const {
  std::vector<pollfd> polled = {{.fd = stop_, .events = POLLIN, .revents = 0}};
  int timeout = -1;
  const bool accepting = accept_at_ <= Clock::now();
  if (!accepting) timeout = MillisecondsUntil(accept_at_);
  for (const int listener : listeners_.sockets()) {
    // poll() passes over what is negative.
    polled.push_back({.fd = accepting ? listener : -1, .events = POLLIN, .revents = 0});
  }
  for (const auto& exchange : exchanges_) {
    const short events = exchange->answering() ? POLLOUT : POLLIN;
    polled.push_back({.fd = exchange->socket(), .events = events, .revents = 0});
  }
  if (!exchanges_.empty()) {
    const int left = MillisecondsUntil(exchanges_.front()->deadline());
    timeout = timeout < 0 ? left : std::min(timeout, left);
  }
  // When a signal interrupts it nothing is ready.
  if (poll(polled.data(), polled.size(), timeout) < 0) {
    for (pollfd& one : polled) one.revents = 0;
  }
  return polled;
}

void MetricsPort::AcceptAll() {
  for (const int listener : listeners_.sockets()) {
    for (size_t i = 0; i < kMaxAccepted && Accept(listener); ++i) {
    }
  }
}

bool MetricsPort::Accept(int listener) {
  const int socket = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      accept_at_ = Clock::now() + kNoDescriptorPause;
    }
    return errno == EINTR || errno == ECONNABORTED;
  }
  if (exchanges_.size() == kMaxExchanges) exchanges_.pop_front();
  exchanges_.push_back(std::make_unique<HttpExchange>(socket, Clock::now() + kPatience));
  return true;
}

std::string MetricsPort::WritePage() const {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& collectable : collectables_) {
    std::vector<prometheus::MetricFamily> some = collectable->Collect();
    std::move(some.begin(), some.end(), std::back_inserter(families));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace wormhole::relay
