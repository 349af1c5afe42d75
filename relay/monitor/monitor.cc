#include "relay/monitor/monitor.h"

#include <string>

#include "absl/time/clock.h"
#include "relay/monitor/clock_line.h"
#include "relay/monitor/stream_line.h"

namespace wormhole::relay {

Monitor::Monitor(const RelayConfig& config, Log* log)
    : log_(log),
      started_at_(absl::Now()),
      store_health_(started_at_),
      events_([] { return absl::Now(); }),
      metrics_(config.metrics_listen.empty() ? nullptr
                                             : std::make_unique<Metrics>(config.metrics_apps)) {}

void Monitor::WatchCalls(grpc::ServerBuilder& builder) {
  if (metrics_) metrics_->WatchCalls(builder);
}

void Monitor::OnEvent(const ChannelEvent& event) {
  events_.Note(event);
  if (metrics_) metrics_->OnEvent(event);
}

void Monitor::OnFrame(const std::string& app_id, size_t bytes) {
  if (metrics_) metrics_->OnFrame(app_id, bytes);
}

void Monitor::OnStreamBegan() {
  if (metrics_) metrics_->OnStreamBegan();
}

void Monitor::OnRequest() {
  if (metrics_) metrics_->OnRequest();
}

void Monitor::OnResponse() {
  if (metrics_) metrics_->OnResponse();
}

void Monitor::OnStreamOver(const StreamReport& report) {
  events_.Note(report);
  if (metrics_) metrics_->OnStreamOver(report);
  if (log_ != nullptr && log_->Takes(Log::Level::kInfo)) {
    log_->Info("stream ended", StreamFields(report, log_->addresses()));
  }
}

void Monitor::OnClock(const ClockChange& change) {
  if (log_ == nullptr) return;
  const ClockLine line = DescribeChange(change);
  log_->Write(line.level, line.message, line.fields);
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
