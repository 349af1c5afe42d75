#include "relay/config/flag_check.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "relay/config/flag_values.h"

namespace wormhole::relay {
namespace {

absl::Status CheckEtcd(const StoreChoice& store) {
  const EtcdChoice& etcd = store.etcd;
  if (etcd.tls_cert.empty() != etcd.tls_key.empty()) {
    return absl::InvalidArgumentError(
        "--etcd-tls-cert and --etcd-tls-key are given both or not at all");
  }
  if (!etcd.tls_cert.empty() && !etcd.tls()) {
    return absl::InvalidArgumentError("--etcd-tls-cert needs --etcd-tls-ca");
  }
  if (etcd.user_file.empty() != etcd.password_file.empty()) {
    return absl::InvalidArgumentError(
        "--etcd-user-file and --etcd-password-file are given both or not at all");
  }
  const bool any = etcd.tls() || !etcd.user_file.empty() || etcd.prefix != EtcdChoice{}.prefix;
  if (any && store.kind != StoreChoice::Kind::kEtcd) {
    return absl::InvalidArgumentError("flags that begin with --etcd need --store=etcd:HOST:PORT");
  }
  return absl::OkStatus();
}

// True if two listeners want the same port of the same address. Different names of one host pass
// here; the second listener then fails to listen.
bool Collide(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return false;
  const std::string_view port = a.substr(a.rfind(':') + 1);
  if (port != b.substr(b.rfind(':') + 1) || port.find_first_not_of('0') == std::string_view::npos) {
    return false;
  }
  const auto covers = [](std::string_view place, std::string_view other) {
    const std::string_view host = place.substr(0, place.rfind(':'));
    return host == "[::]" || (host == "0.0.0.0" && !other.starts_with('['));
  };
  return a == b || covers(a, b) || covers(b, a);
}

// A channel may post one frame of each side ahead of its budget (PostBudget). Until the budget has
// caught up the relay reads nothing from the two clients, and answers no heartbeat. If that took
// longer than a heartbeat, clients could take the relay for lost.
absl::Status CheckPosted(const RelayConfig& config) {
  const uint64_t rate = config.max_posted_bytes_per_second;
  const uint64_t most = 2 * uint64_t{config.limits.max_frame_bytes};
  if (rate == 0 || absl::ToDoubleSeconds(config.heartbeat) * static_cast<double>(rate) >= most) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--max-posted-bytes-per-second (", rate, ") is too little for --heartbeat (",
                   WriteDuration(config.heartbeat), "), in which two frames of --max-frame-bytes (",
                   config.limits.max_frame_bytes, ") have to pass"));
}

absl::Status CheckListeners(const RelayConfig& config) {
  const std::pair<const char*, std::string_view> listeners[] = {
      {"--listen", config.listen},
      {"--admin-listen", config.admin_listen},
      {"--probe-listen", config.probe_listen},
      {"--metrics-listen", config.metrics_listen}};
  for (const auto& [flag, place] : listeners) {
    for (const auto& [other_flag, other_place] : listeners) {
      if (flag == other_flag || !Collide(place, other_place)) continue;
      return absl::InvalidArgumentError(absl::StrCat(flag, " (", std::string(place), ") and ",
                                                     other_flag, " (", std::string(other_place),
                                                     ") cannot have the same port"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTogether(const RelayConfig& config) {
  const ChannelLimits& limits = config.limits;
  if (limits.ttl_default > limits.ttl_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("--channel-ttl-default (", WriteDuration(limits.ttl_default),
                     ") is longer than --channel-ttl-max (", WriteDuration(limits.ttl_max), ")"));
  }
  if (limits.window_bytes < limits.max_frame_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("--window-bytes (", limits.window_bytes,
                                                   ") has no room for a frame of "
                                                   "--max-frame-bytes (",
                                                   limits.max_frame_bytes, ")"));
  }
  if (config.drain_delay > absl::ZeroDuration() && config.drain_delay >= config.drain_timeout) {
    return absl::InvalidArgumentError(
        absl::StrCat("--drain-delay (", WriteDuration(config.drain_delay),
                     ") leaves nothing of --drain-timeout (", WriteDuration(config.drain_timeout),
                     "), which it is part of"));
  }
  if (config.tls.cert.empty() != config.tls.key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key are given both or not at all");
  }
  if (!config.tls.client_ca.empty() && !config.tls.enabled()) {
    return absl::InvalidArgumentError("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (!config.proxy_from.empty() && config.listen.starts_with("unix:")) {
    return absl::InvalidArgumentError("--proxy-from needs --listen=ADDRESS:PORT");
  }
  if (config.admin_channelz && config.admin_listen.empty()) {
    return absl::InvalidArgumentError("--admin-channelz needs --admin-listen");
  }
  if (!config.metrics_apps.empty() && config.metrics_listen.empty()) {
    return absl::InvalidArgumentError("--metrics-apps needs --metrics-listen");
  }
  if (absl::Status posted = CheckPosted(config); !posted.ok()) return posted;
  const absl::Status listeners = CheckListeners(config);
  if (!listeners.ok()) return listeners;
  return CheckEtcd(config.store);
}

}  // namespace wormhole::relay
