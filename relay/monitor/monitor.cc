#include "relay/monitor/monitor.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "relay/monitor/client_network.h"
#include "relay/monitor/clock_line.h"
#include "relay/monitor/stream_line.h"

namespace wormhole::relay {
namespace {

// Of a peer as gRPC writes it; unspecified: it has none.
net::Address AddressOf(const std::string& peer) { return ClientOf(peer).value_or(net::Address()); }

// As operators are told it; empty: it is not refused for a cap.
std::string_view ReasonOf(Arrival arrival) {
  switch (arrival) {
    case Arrival::kTooManyInAll:
      return "connections_in_all";
    case Arrival::kTooManyFromAddress:
      return "connections_of_address";
    case Arrival::kNoDescriptors:
      return "no_descriptors";
    default:
      return "";
  }
}

// What sets the limit by which a connection is refused; empty: it is not refused, or Admission
// has told so.
std::string_view RemedyOf(Arrival arrival) {
  switch (arrival) {
    case Arrival::kTooManyInAll:
      return "--max-connections";
    case Arrival::kTooManyFromAddress:
      return "--max-connections-per-address";
    case Arrival::kNoDescriptors:
      return "LimitNOFILE= or ulimit -n";
    default:
      return "";
  }
}

}  // namespace

Monitor::Monitor(const RelayConfig& config, Log* log)
    : log_(log),
      started_at_(absl::Now()),
      store_health_(started_at_),
      events_([] { return absl::Now(); }),
      metrics_(config.metrics_listen.empty() ? nullptr
                                             : std::make_unique<Metrics>(config.metrics_apps)) {}

std::unique_ptr<CallMetrics::InterceptorFactory> Monitor::CallCounter() {
  return metrics_ ? metrics_->CallCounter() : nullptr;
}

void Monitor::OnEvent(const ChannelEvent& event) {
  events_.Note(event);
  if (metrics_) metrics_->OnEvent(event);
}

void Monitor::OnFrame(const std::string& app_id, size_t bytes) {
  if (metrics_) metrics_->OnFrame(app_id, bytes);
}

void Monitor::OnStreamBegan(const std::string& peer) {
  if (metrics_) metrics_->OnStreamBegan();
  const net::Address client = AddressOf(peer);
  sync::MutexLock lock(networks_mutex_);
  networks_.StreamBegan(client, Now());
}

void Monitor::OnRequest() {
  if (metrics_) metrics_->OnRequest();
}

void Monitor::OnResponse() {
  if (metrics_) metrics_->OnResponse();
}

void Monitor::OnStreamOver(const StreamReport& report) {
  events_.Note(report);
  {
    const net::Address client = AddressOf(report.peer);
    sync::MutexLock lock(networks_mutex_);
    networks_.StreamOver(client);
  }
  if (metrics_) metrics_->OnStreamOver(report);
  if (log_ != nullptr && log_->Takes(Log::Level::kInfo)) {
    log_->Info("stream ended", StreamFields(report, log_->addresses()));
  }
}

void Monitor::OnArrival(Arrival arrival) {
  if (metrics_) metrics_->OnArrival(arrival);
  const std::string_view remedy = RemedyOf(arrival);
  if (remedy.empty()) return;
  std::optional<Notice> notice;
  {
    sync::MutexLock lock(networks_mutex_);
    notice = NoticeOf(ReasonOf(arrival));
  }
  if (notice) Say(ReasonOf(arrival), remedy, *notice);
}

void Monitor::OnClient(Arrival arrival, const net::Address& client) {
  const std::string_view refused = ReasonOf(arrival);
  sync::MutexLock lock(networks_mutex_);
  if (!refused.empty()) networks_.Refused(client, refused, Now());
  // A proxy that checks health each second would be louder than all of its clients.
  if (arrival == Arrival::kAdmitted) networks_.Connected(client, Now());
}

void Monitor::OnGaveWay() {
  if (metrics_) metrics_->OnGaveWay();
}

void Monitor::OnFlooding() {
  if (metrics_) metrics_->OnFlooding();
}

void Monitor::OnRefused(Refusal refusal, const net::Address& client, const std::string&) {
  if (metrics_) metrics_->OnRefused(refusal);
  std::optional<Notice> notice;
  {
    sync::MutexLock lock(networks_mutex_);
    networks_.Refused(client, RefusalName(refusal), Now());
    notice = NoticeOf(RefusalName(refusal));
  }
  if (notice) Say(RefusalName(refusal), RefusalFlag(refusal), *notice);
}

std::optional<Monitor::Notice> Monitor::NoticeOf(std::string_view reason) {
  if (log_ == nullptr) return std::nullopt;
  const std::optional<uint64_t> times = notices_.Note(reason, Now());
  if (!times) return std::nullopt;
  std::vector<NetworkView> loudest = networks_.List(1, Now());
  return Notice{.times = *times,
                .loudest = loudest.empty() ? "unknown" : std::move(loudest.front().network)};
}

void Monitor::Say(std::string_view reason, std::string_view remedy, const Notice& notice) {
  log_->Write(Log::Level::kWarn, "clients are refused; this is said once a minute for each limit",
              {{"limit", std::string(reason)},
               {"set_by", std::string(remedy)},
               {"times", notice.times},
               {"loudest", notice.loudest}});
}

void Monitor::OnChannelBegan(const net::Address& client) {
  sync::MutexLock lock(networks_mutex_);
  networks_.ChannelBegan(client);
}

void Monitor::OnChannelEnded(const net::Address& client) {
  sync::MutexLock lock(networks_mutex_);
  networks_.ChannelEnded(client);
}

std::vector<NetworkView> Monitor::Loudest(size_t most) const {
  sync::MutexLock lock(networks_mutex_);
  return networks_.List(most, Now());
}

absl::Time Monitor::Now() const {
  return started_at_ + absl::FromChrono(std::chrono::steady_clock::now() - started_);
}

void Monitor::OnClock(const ClockChange& change) {
  if (log_ == nullptr) return;
  const ClockLine line = DescribeChange(change);
  log_->Write(line.level, line.message, line.fields);
}

void Monitor::OnCertificateEnds(absl::Duration left) {
  if (log_ == nullptr) return;
  const auto hours = static_cast<uint64_t>(absl::ToInt64Hours(left));
  if (left <= absl::ZeroDuration()) {
    return log_->Write(Log::Level::kError,
                       "the certificate (--tls-cert) has ended: clients refuse this relay; put a "
                       "new one in its place, which is read within seconds");
  }
  log_->Write(Log::Level::kWarn,
              "the certificate (--tls-cert) ends soon; put a new one in its place in time",
              {{"days", hours / 24}, {"hours", hours % 24}});
}

void Monitor::OnMemory(bool is_short) {
  if (log_ == nullptr) return;
  if (!is_short) return log_->Info("memory is no longer short");
  log_->Write(Log::Level::kWarn,
              "memory is short (--max-memory): nobody new is let in for now, exchanges go on");
}

void Monitor::OnTokens(const absl::StatusOr<size_t>& tokens) {
  if (log_ == nullptr) return;
  if (tokens.ok()) return log_->Info("the tokens file was read", {{"tokens", uint64_t{*tokens}}});
  log_->Write(Log::Level::kError,
              "the tokens file cannot be used: what it held before stays in force",
              {{"why", std::string(tokens.status().message())}});
}

void Monitor::OnTrouble(const absl::Status& status) {
  if (!store_health_.Note(status, absl::Now()) || log_ == nullptr) return;
  if (status.ok()) return log_->Info("the store works again");
  log_->Write(Log::Level::kError, "clients are sent away until the store works again",
              {{"why", std::string(status.message())}});
}

void Monitor::OnStoreRestored() {
  if (log_ == nullptr) return;
  log_->Write(Log::Level::kWarn,
              "etcd was restored from an older copy: all streams end, and clients come back");
}

void Monitor::OnCommit(absl::Duration took, size_t operations) {
  if (metrics_) metrics_->OnCommit(took, operations);
}

}  // namespace wormhole::relay
