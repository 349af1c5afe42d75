#include "relay/server/metrics_port.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace wormhole::relay {
namespace {

constexpr std::string_view kPath = "/metrics";
constexpr int kBacklog = 64;
// Of these many are served. The others are on their way out.
constexpr size_t kServedClients = 192;
constexpr unsigned kPatienceSeconds = 5;
constexpr std::chrono::seconds kDeadline(10);
constexpr std::chrono::milliseconds kDeadlineLook(500);
// Memory of one client, for its request and the head of the answer.
constexpr size_t kClientBytes = 16 << 10;

MHD_Result Respond(MHD_Connection* connection, unsigned code, std::string body) {
  MHD_Response* response =
      MHD_create_response_from_buffer(body.size(), body.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                          "text/plain; version=0.0.4; charset=utf-8");
  // Prometheus scrapes again in a quarter of a minute.
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  return queued;
}

MHD_Result Answer(void* port, MHD_Connection* connection, const char* path, const char* method,
                  const char* /*version*/, const char* /*upload*/, size_t* /*upload_size*/,
                  void** /*state*/) {
  const std::string_view verb = method;
  if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD) {
    return Respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
  }
  if (path != kPath) return Respond(connection, MHD_HTTP_NOT_FOUND, "only /metrics\n");
  return Respond(connection, MHD_HTTP_OK, static_cast<const MetricsPort*>(port)->WritePage());
}

// A connection has come, or is about to be closed. On the daemon's thread.
void NoteConnection(void* deadlines, MHD_Connection* connection, void** /*context*/,
                    MHD_ConnectionNotificationCode code) {
  auto* const known = static_cast<RequestDeadlines*>(deadlines);
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info == nullptr) return;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    known->Opened(info->connect_fd, std::chrono::steady_clock::now());
  } else {
    known->Closed(info->connect_fd);
  }
}

}  // namespace

MetricsPort::MetricsPort(Collectables collectables)
    : collectables_(std::move(collectables)),
      deadlines_(kServedClients, kDeadline, [](int socket) { shutdown(socket, SHUT_RDWR); }) {}

absl::StatusOr<Listeners> MetricsPort::Bind(const std::string& listen) {
  Listeners listeners;
  if (const absl::Status listening = listeners.Open(listen, kBacklog); !listening.ok()) {
    return absl::UnavailableError(absl::StrCat("--metrics-listen: ", listening.message()));
  }
  return listeners;
}

absl::StatusOr<std::unique_ptr<MetricsPort>> MetricsPort::Start(Listeners listeners,
                                                                Collectables collectables) {
  auto port = absl::WrapUnique(new MetricsPort(std::move(collectables)));
  port->address_ = listeners.address();
  for (const int socket : listeners.Release()) {
    MHD_Daemon* daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD, 0, nullptr, nullptr, &Answer, port.get(),
        MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT, kMaxClients,
        MHD_OPTION_CONNECTION_TIMEOUT, kPatienceSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kClientBytes, MHD_OPTION_NOTIFY_CONNECTION, &NoteConnection, &port->deadlines_,
        MHD_OPTION_END);
    if (daemon == nullptr) {
      return absl::UnavailableError(absl::StrCat("--metrics-listen: cannot serve ", port->address_,
                                                 "; may this process start threads?"));
    }
    port->daemons_.push_back(daemon);
  }
  port->ticker_.emplace(kDeadlineLook, [deadlines = &port->deadlines_] {
    deadlines->CutLate(std::chrono::steady_clock::now());
  });
  return port;
}

MetricsPort::~MetricsPort() {
  ticker_.reset();
  for (MHD_Daemon* daemon : daemons_) MHD_stop_daemon(daemon);
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
