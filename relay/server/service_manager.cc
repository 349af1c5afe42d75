#include "relay/server/service_manager.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace wormhole::relay {
namespace {

// systemd drops a message of more than 4096 bytes; a reason may be as long as a path.
constexpr size_t kMaxReason = 1000;
// What the relay does when the last stream has ended: it closes its ports and its store.
constexpr absl::Duration kAfterDrain = absl::Seconds(15);

std::string TakeVariable(const char* name) {
  const char* const value = std::getenv(name);
  const std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

// A line end would begin another message, and systemd drops what is not UTF-8.
std::string OneLine(absl::string_view text) {
  std::string line(text.substr(0, kMaxReason));
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f) c = ' ';
    if (byte > 0x7f) c = '?';
  }
  return line;
}

std::string Utc(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace

ServiceRequest ServiceRequest::TakeFromEnvironment() {
  ServiceRequest request = {.socket = TakeVariable("NOTIFY_SOCKET")};
  const std::string microseconds = TakeVariable("WATCHDOG_USEC");
  const std::string pid = TakeVariable("WATCHDOG_PID");
  // Another process of the same unit may be meant, whose variables this one has inherited.
  const bool meant = pid.empty() || pid == absl::StrCat(getpid());
  int64_t count = 0;
  if (meant && absl::SimpleAtoi(microseconds, &count) && count > 0) {
    request.watchdog = std::chrono::microseconds(count);
  }
  return request;
}

std::string StatusLine(const ServiceState& state) {
  switch (state.stage) {
    case ServiceState::Stage::kStarting:
      return "Starting: the store is being opened";
    case ServiceState::Stage::kServing:
      if (state.store.ok()) return absl::StrCat("Serving on ", OneLine(state.address));
      return absl::StrCat("Listening on ", OneLine(state.address), "; store away since ",
                          Utc(state.store_since), ": ", OneLine(state.store.message()));
    case ServiceState::Stage::kStopping:
      return absl::StrCat("Draining: ", state.streams,
                          state.streams == 1 ? " stream is" : " streams are", " left, until ",
                          Utc(state.stops_by), " at most");
  }
  return "";
}

absl::StatusOr<std::unique_ptr<ServiceManager>> ServiceManager::Reach(
    const ServiceRequest& request) {
  if (request.socket.empty()) return nullptr;
  const std::optional<Address> address = ReadAddress(request.socket);
  if (!address) {
    return absl::InvalidArgumentError(
        absl::StrCat("the service manager hears nothing: $NOTIFY_SOCKET (", OneLine(request.socket),
                     ") should be /PATH or @NAME of at most 107 bytes"));
  }
  // A child must not speak for the relay.
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return absl::UnavailableError(
        absl::StrCat("the service manager hears nothing: ", std::strerror(errno)));
  }
  return std::unique_ptr<ServiceManager>(new ServiceManager(fd, *address, request.watchdog));
}

std::optional<ServiceManager::Address> ServiceManager::ReadAddress(const std::string& socket) {
  Address address;
  const bool abstract = socket.front() == '@';
  if (!abstract && socket.front() != '/') return std::nullopt;
  if (socket.size() < 2 || socket.size() >= sizeof address.socket.sun_path) return std::nullopt;
  address.socket.sun_family = AF_UNIX;
  std::copy(socket.begin(), socket.end(), address.socket.sun_path);
  if (abstract) address.socket.sun_path[0] = '\0';
  // An abstract name is all bytes of the address, so that no more may be given than it has.
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size());
  return address;
}

ServiceManager::~ServiceManager() { close(fd_); }

void ServiceManager::Tell(const ServiceState& state) {
  const bool ready = state.stage == ServiceState::Stage::kServing;
  const bool stopping = state.stage == ServiceState::Stage::kStopping;
  const std::string status = StatusLine(state);
  sync::MutexLock lock(mutex_);
  if (stopping_ && !stopping) return;  // a thread that has looked before another said so
  std::string message;
  if (ready && !ready_) message += "READY=1\n";
  if (stopping && !stopping_) {
    const absl::Duration left = state.stops_by - absl::Now() + kAfterDrain;
    absl::StrAppend(&message, "STOPPING=1\nEXTEND_TIMEOUT_USEC=",
                    std::max<int64_t>(1, absl::ToInt64Microseconds(left)), "\n");
  }
  if (status != status_) absl::StrAppend(&message, "STATUS=", status, "\n");
  if (message.empty() || !Send(message)) return;
  ready_ |= ready;
  stopping_ |= stopping;
  status_ = status;
}

void ServiceManager::Feed(std::chrono::steady_clock::time_point now) {
  if (watchdog_.count() == 0) return;
  sync::MutexLock lock(mutex_);
  if (fed_ && now - *fed_ < watchdog_ / 2) return;
  if (Send("WATCHDOG=1\n")) fed_ = now;
}

bool ServiceManager::Send(const std::string& message) const {
  return sendto(fd_, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                reinterpret_cast<const sockaddr*>(&address_.socket), address_.size) >= 0;
}

}  // namespace wormhole::relay
