#include "relay/server/metrics_port.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "relay/server/request_deadlines.h"
#include "relay/server/shared_page.h"

namespace wormhole::relay {
namespace {

constexpr std::string_view kPath = "/metrics";
constexpr int kBacklog = 64;
// Of these many are served. The others are on their way out.
constexpr size_t kServedClients = 192;
constexpr unsigned kPatienceSeconds = 5;
constexpr std::chrono::seconds kDeadline(10);
constexpr std::chrono::milliseconds kDeadlineCheckInterval(500);
// Memory of one client, for its request and the head of the answer.
constexpr size_t kClientBytes = 16 << 10;

// In Prometheus' text format.
std::string WritePage(const MetricsPort::Collectables& collectables) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& collectable : collectables) {
    std::vector<prometheus::MetricFamily> some = collectable->Collect();
    std::move(some.begin(), some.end(), std::back_inserter(families));
  }
  return prometheus::TextSerializer().Serialize(families);
}

// The daemon has it until the last byte has gone, and keeps no copy: those who share a page and do
// not read it take no more memory than one.
MHD_Response* ResponseOf(SharedPage::Page body) {
  const std::string& text = *body;
  auto kept = std::make_unique<SharedPage::Page>(std::move(body));
  MHD_Response* const response = MHD_create_response_from_buffer_with_free_callback_cls(
      text.size(), const_cast<char*>(text.data()),  // which nobody writes to
      [](void* page) { delete static_cast<SharedPage::Page*>(page); }, kept.get());
  if (response != nullptr) static_cast<void>(kept.release());
  return response;
}

MHD_Result Respond(MHD_Connection* connection, unsigned code, SharedPage::Page body) {
  MHD_Response* const response = ResponseOf(std::move(body));
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                          "text/plain; version=0.0.4; charset=utf-8");
  // Prometheus scrapes again in a quarter of a minute; and a second request on the connection would
  // get the first one's page again (see Begun).
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  return queued;
}

MHD_Result Refuse(MHD_Connection* connection, unsigned code, const char* why) {
  return Respond(connection, code, std::make_shared<const std::string>(why));
}

}  // namespace

// What the threads of all addresses share.
struct Scrapes {
  explicit Scrapes(MetricsPort::Collectables collectables)
      : page([collectables = std::move(collectables)] { return WritePage(collectables); }) {}

  RequestDeadlines deadlines{kServedClients, kDeadline,
                             [](int socket) { shutdown(socket, SHUT_RDWR); }};
  SharedPage page;
};

namespace {

// How many pages had been begun when the client connected; its connection's context.
using Begun = uint64_t;

MHD_Result Answer(void* scrapes, MHD_Connection* connection, const char* path, const char* method,
                  const char* /*version*/, const char* /*upload*/, size_t* /*upload_size*/,
                  void** /*state*/) {
  const std::string_view verb = method;
  if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD) {
    return Refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
  }
  if (path != kPath) return Refuse(connection, MHD_HTTP_NOT_FOUND, "only /metrics\n");
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info == nullptr) return MHD_NO;
  const Begun begun = *static_cast<const Begun*>(info->socket_context);
  return Respond(connection, MHD_HTTP_OK, static_cast<Scrapes*>(scrapes)->page.After(begun));
}

// A connection has come, or is about to be closed. On the daemon's thread.
void NoteConnection(void* scrapes, MHD_Connection* connection, void** context,
                    MHD_ConnectionNotificationCode code) {
  auto* const known = static_cast<Scrapes*>(scrapes);
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  const int socket = info == nullptr ? -1 : info->connect_fd;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = new Begun(known->page.begun());
    known->deadlines.Opened(socket, std::chrono::steady_clock::now());
  } else {
    delete static_cast<Begun*>(*context);
    known->deadlines.Closed(socket);
  }
}

}  // namespace

MetricsPort::MetricsPort(Collectables collectables)
    : scrapes_(std::make_unique<Scrapes>(std::move(collectables))) {}

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
        MHD_USE_AUTO_INTERNAL_THREAD, 0, nullptr, nullptr, &Answer, port->scrapes_.get(),
        MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT, kMaxClients,
        MHD_OPTION_CONNECTION_TIMEOUT, kPatienceSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kClientBytes, MHD_OPTION_NOTIFY_CONNECTION, &NoteConnection, port->scrapes_.get(),
        MHD_OPTION_END);
    if (daemon == nullptr) {
      return absl::UnavailableError(absl::StrCat("--metrics-listen: cannot serve ", port->address_,
                                                 "; may this process start threads?"));
    }
    port->daemons_.push_back(daemon);
  }
  port->ticker_.emplace(kDeadlineCheckInterval, [scrapes = port->scrapes_.get()] {
    scrapes->deadlines.CutLate(std::chrono::steady_clock::now());
  });
  return port;
}

MetricsPort::~MetricsPort() {
  ticker_.reset();
  for (MHD_Daemon* daemon : daemons_) MHD_stop_daemon(daemon);
}

}  // namespace wormhole::relay
