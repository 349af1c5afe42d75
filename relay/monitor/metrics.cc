#include "relay/monitor/metrics.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "proto/error/error_detail.h"

namespace wormhole::relay {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using rendezvous::v1::ErrorDetail;
using rendezvous::v1::Mood;

// Seconds: an fsync of a fast disk, of a slow one, and a disk in trouble.
const Histogram::BucketBoundaries kCommitSeconds = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
const Histogram::BucketBoundaries kBatchOperations = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

Family<Counter>& MakeFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Histogram& MakeHistogram(prometheus::Registry& registry, const char* name, const char* help,
                         const Histogram::BucketBoundaries& buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

// MOOD_HAPPY: happy.
std::string LabelOf(const std::string& name, const char* prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

// `by_number` at a number that may be any; null where there is no counter.
template <typename Counters>
Counter* Find(const Counters& by_number, int number) {
  if (number < 0 || static_cast<size_t>(number) >= by_number.size()) return nullptr;
  return by_number[static_cast<size_t>(number)];
}

}  // namespace

struct Metrics::AppFamilies {
  explicit AppFamilies(prometheus::Registry& r)
      : allocations(MakeFamily(r, "wormhole_allocations_total", "Channels that were allocated.")),
        claims(MakeFamily(r, "wormhole_claims_total", "Channels that a receiver has joined.")),
        pairings(MakeFamily(r, "wormhole_pairings_total",
                            "Times that both sides of a channel were attached after a time in "
                            "which they were not.")),
        crowded(MakeFamily(r, "wormhole_crowded_total",
                           "Claims by third parties, which were refused.")),
        closed(MakeFamily(r, "wormhole_closed_total", "Channels that were closed, by mood.")),
        expired(MakeFamily(r, "wormhole_expired_total", "Channels whose time was over.")),
        frames(MakeFamily(r, "wormhole_frames_total", "Frames that clients have posted.")),
        frame_bytes(MakeFamily(r, "wormhole_frame_bytes_total", "Bytes of those frames.")),
        failed_claims(MakeFamily(r, "wormhole_failed_claims_total",
                                 "Claims that did not come to a channel, by reason.")) {}

  Family<Counter>& allocations;
  Family<Counter>& claims;
  Family<Counter>& pairings;
  Family<Counter>& crowded;
  Family<Counter>& closed;
  Family<Counter>& expired;
  Family<Counter>& frames;
  Family<Counter>& frame_bytes;
  Family<Counter>& failed_claims;
};

Metrics::Metrics(const std::vector<std::string>& apps)
    : registry_(std::make_shared<prometheus::Registry>()),
      calls_(*registry_),
      refused_(MakeReasons(MakeFamily(*registry_, "wormhole_refused_total",
                                      "Streams that this relay has ended with an error, at their "
                                      "first request or later, by reason."))),
      arrivals_(MakeArrivals(*registry_)),
      gave_way_(MakeFamily(*registry_, "wormhole_connections_gave_way_total",
                           "Connections without a stream that the public port has ended, since all "
                           "places were taken and somebody new came.")
                    .Add({})),
      flooding_(MakeFamily(*registry_, "wormhole_connections_flooding_total",
                           "Connections that the public port has ended, since calls came faster "
                           "than they could be refused.")
                    .Add({})),
      refusals_(MakeRefusals(*registry_)),
      commit_seconds_(MakeHistogram(*registry_, "wormhole_store_commit_seconds",
                                    "How long the store took to make a batch durable.",
                                    kCommitSeconds)),
      batch_operations_(MakeHistogram(*registry_, "wormhole_store_batch_operations",
                                      "Operations in such a batch.", kBatchOperations)) {
  const AppFamilies families(*registry_);
  others_ = MakeApp(families, "");
  for (const std::string& app : apps) apps_.try_emplace(app, MakeApp(families, app));
}

Metrics::AppMetrics Metrics::MakeApp(const AppFamilies& families, const std::string& app) {
  const prometheus::Labels labels = {{"app", app}};
  AppMetrics made = {.allocations = &families.allocations.Add(labels),
                     .claims = &families.claims.Add(labels),
                     .pairings = &families.pairings.Add(labels),
                     .crowded = &families.crowded.Add(labels),
                     .expired = &families.expired.Add(labels),
                     .frames = &families.frames.Add(labels),
                     .frame_bytes = &families.frame_bytes.Add(labels),
                     .closed = {},
                     .failed_claims = MakeReasons(families.failed_claims, labels)};
  for (int mood = 1; mood < rendezvous::v1::Mood_ARRAYSIZE; ++mood) {
    const std::string& name = rendezvous::v1::Mood_Name(static_cast<Mood>(mood));
    if (name.empty()) continue;
    made.closed[static_cast<size_t>(mood)] =
        &families.closed.Add({{"app", app}, {"mood", LabelOf(name, "MOOD_")}});
  }
  return made;
}

Metrics::ByReason Metrics::MakeReasons(Family<Counter>& family, const prometheus::Labels& others) {
  ByReason made = {};
  for (int reason = 1; reason < ErrorDetail::Reason_ARRAYSIZE; ++reason) {
    const std::string& name = ErrorDetail::Reason_Name(static_cast<ErrorDetail::Reason>(reason));
    if (name.empty()) continue;
    prometheus::Labels labels = others;
    labels["reason"] = LabelOf(name, "REASON_");
    made[static_cast<size_t>(reason)] = &family.Add(labels);
  }
  return made;
}

Metrics::ByArrival Metrics::MakeArrivals(prometheus::Registry& registry) {
  auto& accepted = MakeFamily(registry, "wormhole_connections_accepted_total",
                              "Connections that the public port has let in: of clients, of a proxy "
                              "itself, and of a proxy that has gone without a word.");
  auto& refused = MakeFamily(registry, "wormhole_connections_refused_total",
                             "Connections that the public port has reset, by reason: one of its "
                             "caps, too few descriptors, or the header of a proxy.");
  return {{Arrival::kAdmitted, &accepted.Add({{"of", "client"}})},
          {Arrival::kProxysOwn, &accepted.Add({{"of", "proxy"}})},
          {Arrival::kProxysCheck, &accepted.Add({{"of", "proxy_check"}})},
          {Arrival::kTooManyInAll, &refused.Add({{"reason", "all"}})},
          {Arrival::kTooManyFromAddress, &refused.Add({{"reason", "address"}})},
          {Arrival::kTooOften, &refused.Add({{"reason", "rate"}})},
          {Arrival::kShortOfMemory, &refused.Add({{"reason", "memory"}})},
          {Arrival::kNoDescriptors, &refused.Add({{"reason", "descriptors"}})},
          {Arrival::kHeaderMissing, &refused.Add({{"reason", "header_missing"}})},
          {Arrival::kHeaderBroken, &refused.Add({{"reason", "header_broken"}})},
          {Arrival::kTooManyHeaders, &refused.Add({{"reason", "headers"}})}};
}

Metrics::ByRefusal Metrics::MakeRefusals(prometheus::Registry& registry) {
  auto& refused = MakeFamily(registry, "wormhole_relay_refused_total",
                             "What strangers were refused because of a limit, by which one.");
  ByRefusal made;
  for (const Refusal refusal : kRefusals) {
    made[refusal] = &refused.Add({{"reason", std::string(RefusalName(refusal))}});
  }
  return made;
}

const Metrics::AppMetrics& Metrics::Of(const std::string& app_id) const {
  if (apps_.empty()) return others_;
  const auto listed = apps_.find(app_id);
  return listed == apps_.end() ? others_ : listed->second;
}

void Metrics::OnEvent(const ChannelEvent& event) {
  const AppMetrics& app = Of(event.key.app_id);
  switch (event.kind) {
    case ChannelEvent::Kind::kAllocated:
      return app.allocations->Increment();
    case ChannelEvent::Kind::kClaimed:
      return app.claims->Increment();
    case ChannelEvent::Kind::kPaired:
      return app.pairings->Increment();
    case ChannelEvent::Kind::kCrowded:
      return app.crowded->Increment();
    case ChannelEvent::Kind::kClosed:
      if (Counter* const closed = Find(app.closed, event.mood)) closed->Increment();
      return;
    case ChannelEvent::Kind::kExpired:
      return app.expired->Increment();
  }
}

void Metrics::OnFrame(const std::string& app_id, size_t bytes) {
  const AppMetrics& app = Of(app_id);
  app.frames->Increment();
  app.frame_bytes->Increment(static_cast<double>(bytes));
}

void Metrics::OnStreamOver(const StreamReport& report) {
  calls_.attach().Handled(static_cast<grpc::StatusCode>(report.status.code()), report.lasted);
  const error::Reason reason = error::ReasonOf(report.status);
  if (Counter* const refused = Find(refused_, reason)) refused->Increment();
  if (report.purpose != rendezvous::v1::Open::kClaim || report.attached) return;
  if (Counter* const failed = Find(Of(report.app_id).failed_claims, reason)) failed->Increment();
}

void Metrics::OnArrival(Arrival arrival) { arrivals_.at(arrival)->Increment(); }

void Metrics::OnRefused(Refusal refusal) { refusals_.at(refusal)->Increment(); }

void Metrics::OnCommit(absl::Duration took, size_t operations) {
  commit_seconds_.Observe(absl::ToDoubleSeconds(took));
  batch_operations_.Observe(static_cast<double>(operations));
}

}  // namespace wormhole::relay
