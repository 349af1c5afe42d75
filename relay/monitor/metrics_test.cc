#include "relay/monitor/metrics.h"

#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "proto/error/error_detail.h"
#include "relay/monitor/testing/metrics_page.h"

namespace wormhole::relay {
namespace {

using error::ErrorDetail;
using rendezvous::v1::Open;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kListed[] = "example.com/listed";
constexpr char kAttach[] =
    "{grpc_method=\"Attach\",grpc_service=\"wormhole.rendezvous.v1.RendezvousService\","
    "grpc_type=\"bidi_stream\"}";

class MetricsTest : public ::testing::Test {
 protected:
  MetricsPage Page() const {
    return MetricsPage(prometheus::TextSerializer().Serialize(metrics_.registry()->Collect()));
  }

  // The series whose values have changed since the last call, except those of histograms.
  std::vector<std::string> Moved() {
    const MetricsPage now = Page();
    std::vector<std::string> moved;
    for (const auto& [series, value] : now.series()) {
      if (series.find("_seconds") == std::string::npos && value != before_.Value(series)) {
        moved.push_back(series);
      }
    }
    before_ = now;
    return moved;
  }

  void Tell(ChannelEvent::Kind kind, const std::string& app_id, int mood = 0) {
    metrics_.OnEvent({.kind = kind, .key = {app_id, 7}, .mood = static_cast<Mood>(mood)});
  }

  static StreamReport Report(Open::PurposeCase purpose, ErrorDetail::Reason reason) {
    StreamReport report;
    report.purpose = purpose;
    report.status = error::Make(reason, "said so");
    return report;
  }

  Metrics metrics_{{kListed, "example.com/other"}};
  MetricsPage before_ = Page();
};

TEST_F(MetricsTest, ConnectionsThatCameAndWhatBecameOfThem) {
  metrics_.OnArrival(Arrival::kAdmitted);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_accepted_total{of=\"client\"}"));
  metrics_.OnArrival(Arrival::kProxysOwn);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_accepted_total{of=\"proxy\"}"));
  metrics_.OnArrival(Arrival::kProxysCheck);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_accepted_total{of=\"proxy_check\"}"));
  metrics_.OnArrival(Arrival::kTooManyInAll);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_refused_total{reason=\"all\"}"));
  metrics_.OnArrival(Arrival::kTooManyFromAddress);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_refused_total{reason=\"address\"}"));
  metrics_.OnArrival(Arrival::kTooOften);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_refused_total{reason=\"rate\"}"));
  metrics_.OnArrival(Arrival::kShortOfMemory);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_refused_total{reason=\"memory\"}"));
  metrics_.OnArrival(Arrival::kNoDescriptors);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_refused_total{reason=\"descriptors\"}"));
  metrics_.OnArrival(Arrival::kHeaderMissing);
  EXPECT_THAT(Moved(),
              ElementsAre("wormhole_connections_refused_total{reason=\"header_missing\"}"));
  metrics_.OnArrival(Arrival::kHeaderBroken);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_refused_total{reason=\"header_broken\"}"));
  metrics_.OnArrival(Arrival::kTooManyHeaders);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_refused_total{reason=\"headers\"}"));
  metrics_.OnGaveWay();
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_gave_way_total"));
  metrics_.OnFlooding();
  EXPECT_THAT(Moved(), ElementsAre("wormhole_connections_flooding_total"));
}

TEST_F(MetricsTest, EachEventMovesItsSeriesAndNoOther) {
  using Kind = ChannelEvent::Kind;
  const std::pair<Kind, const char*> kEvents[] = {{Kind::kAllocated, "allocations"},
                                                  {Kind::kClaimed, "claims"},
                                                  {Kind::kPaired, "pairings"},
                                                  {Kind::kCrowded, "crowded"},
                                                  {Kind::kExpired, "expired"}};
  for (const auto& [kind, name] : kEvents) {
    Tell(kind, kListed);
    const std::string series = "wormhole_" + std::string(name) + "_total{app=\"";
    EXPECT_THAT(Moved(), ElementsAre(series + kListed + "\"}"));
    Tell(kind, "example.com/unlisted");
    Tell(kind, "example.com/too");
    EXPECT_EQ(Page().Value(series + "\"}"), 2);
    EXPECT_THAT(Moved(), ElementsAre(series + "\"}"));
  }
}

TEST_F(MetricsTest, ClosedGoesByMood) {
  const char* const kMoods[] = {"happy", "lonely", "scary", "errory"};
  for (int mood = 1; mood <= 4; ++mood) {
    Tell(ChannelEvent::Kind::kClosed, kListed, mood);
    EXPECT_THAT(Moved(), ElementsAre("wormhole_closed_total{app=\"" + std::string(kListed) +
                                     "\",mood=\"" + kMoods[mood - 1] + "\"}"));
  }
  for (const int mood : {0, 5, -1, 1'000'000}) {
    Tell(ChannelEvent::Kind::kClosed, kListed, mood);
    EXPECT_THAT(Moved(), IsEmpty());
  }
}

TEST_F(MetricsTest, FramesAndTheirBytes) {
  metrics_.OnFrame("somebody's", 100);
  metrics_.OnFrame("somebody else's", 28);
  EXPECT_THAT(Moved(), ElementsAre("wormhole_frame_bytes_total{app=\"\"}",
                                   "wormhole_frames_total{app=\"\"}"));
  EXPECT_EQ(Page().Value("wormhole_frames_total{app=\"\"}"), 2);
  EXPECT_EQ(Page().Value("wormhole_frame_bytes_total{app=\"\"}"), 128);
}

TEST_F(MetricsTest, AStreamIsACallOfAttach) {
  metrics_.OnStreamBegan();
  EXPECT_THAT(Moved(), ElementsAre(std::string("grpc_server_started_total") + kAttach));
  metrics_.OnRequest();
  EXPECT_THAT(Moved(), ElementsAre(std::string("grpc_server_msg_received_total") + kAttach));
  metrics_.OnResponse();
  EXPECT_THAT(Moved(), ElementsAre(std::string("grpc_server_msg_sent_total") + kAttach));
  StreamReport report;
  report.lasted = absl::Hours(2);
  report.status = absl::CancelledError("gone");
  metrics_.OnStreamOver(report);
  EXPECT_THAT(Moved(),
              ElementsAre("grpc_server_handled_total{grpc_code=\"Canceled\",grpc_method=\"Attach\","
                          "grpc_service=\"wormhole.rendezvous.v1.RendezvousService\","
                          "grpc_type=\"bidi_stream\"}"));
  const MetricsPage page = Page();
  const std::string seconds = "grpc_server_handling_seconds";
  EXPECT_EQ(page.Value(seconds + "_count" + kAttach), 1);
  EXPECT_EQ(page.Value(seconds + "_sum" + kAttach), 7200);
  const std::string bucket = seconds + "_bucket" + std::string(kAttach, strlen(kAttach) - 1);
  EXPECT_EQ(page.Value(bucket + ",le=\"3600\"}"), 0);
  EXPECT_EQ(page.Value(bucket + ",le=\"21600\"}"), 1);
}

TEST_F(MetricsTest, AReasonIsARefusalAndOfAClaimAFailedClaim) {
  metrics_.OnStreamOver(Report(Open::kResume, ErrorDetail::REASON_STALE_STATE));
  metrics_.OnStreamOver(Report(Open::kClaim, ErrorDetail::REASON_NEVER_ALLOCATED));
  StreamReport attached = Report(Open::kClaim, ErrorDetail::REASON_EXPIRED);
  attached.attached = true;
  metrics_.OnStreamOver(attached);
  StreamReport plain;
  plain.purpose = Open::kClaim;
  metrics_.OnStreamOver(plain);  // the client went away
  const MetricsPage page = Page();
  EXPECT_EQ(page.Value("wormhole_refused_total{reason=\"stale_state\"}"), 1);
  EXPECT_EQ(page.Value("wormhole_refused_total{reason=\"never_allocated\"}"), 1);
  EXPECT_EQ(page.Value("wormhole_refused_total{reason=\"expired\"}"), 1);
  EXPECT_EQ(page.Sum("wormhole_refused_total"), 3);
  EXPECT_EQ(page.Value("wormhole_failed_claims_total{app=\"\",reason=\"never_allocated\"}"), 1);
  EXPECT_EQ(page.Sum("wormhole_failed_claims_total"), 1);
}

TEST_F(MetricsTest, FailedClaimsGoByApp) {
  StreamReport report = Report(Open::kClaim, ErrorDetail::REASON_NEVER_ALLOCATED);
  report.app_id = kListed;
  metrics_.OnStreamOver(report);
  EXPECT_EQ(Page().Value("wormhole_failed_claims_total{app=\"" + std::string(kListed) +
                         "\",reason=\"never_allocated\"}"),
            1);
  report.app_id = "example.com/unlisted";
  metrics_.OnStreamOver(report);
  EXPECT_EQ(Page().Value("wormhole_failed_claims_total{app=\"\",reason=\"never_allocated\"}"), 1);
}

TEST_F(MetricsTest, WhatALimitHasRefusedGoesByLimit) {
  for (const Refusal refusal : kRefusals) {
    metrics_.OnRefused(refusal);
    EXPECT_THAT(Moved(), ElementsAre("wormhole_relay_refused_total{reason=\"" +
                                     std::string(RefusalName(refusal)) + "\"}"));
  }
}

TEST_F(MetricsTest, CommitsAndTheirOperations) {
  metrics_.OnCommit(absl::Milliseconds(3), 10);
  metrics_.OnCommit(absl::Milliseconds(1), 1);
  const MetricsPage page = Page();
  EXPECT_DOUBLE_EQ(page.Value("wormhole_store_commit_seconds_sum"), 0.004);
  EXPECT_EQ(page.Value("wormhole_store_commit_seconds_bucket{le=\"0.0025\"}"), 1);
  EXPECT_EQ(page.Value("wormhole_store_batch_operations_sum"), 11);
  EXPECT_EQ(page.Value("wormhole_store_batch_operations_bucket{le=\"8\"}"), 1);
}

// Moods, reasons and apps are there before anything happens: of a series that begins at 1 no rate
// sees the 1.
TEST_F(MetricsTest, SeriesBeginAtZero) {
  int closed = 0;
  int refused = 0;
  for (const auto& [series, value] : before_.series()) {
    EXPECT_EQ(value, 0) << series;
    closed += series.starts_with("wormhole_closed_total");
    refused += series.starts_with("wormhole_refused_total");
  }
  EXPECT_EQ(closed, 3 * 4);
  EXPECT_EQ(refused, ErrorDetail::Reason_ARRAYSIZE - 1);
}

TEST_F(MetricsTest, NobodyCanMakeSeries) {
  // Only a status code of gRPC's few may be new.
  metrics_.OnStreamOver(Report(Open::kClaim, ErrorDetail::REASON_NEVER_ALLOCATED));
  metrics_.OnStreamOver(Report(Open::kClaim, static_cast<ErrorDetail::Reason>(99)));
  const size_t series = Page().series().size();
  for (int i = 0; i < 10'000; ++i) {
    const std::string app = "example.com/" + std::to_string(i);
    Tell(ChannelEvent::Kind::kAllocated, app);
    Tell(ChannelEvent::Kind::kClosed, app, i);
    metrics_.OnFrame(app, 1);
    StreamReport report = Report(Open::kClaim, ErrorDetail::REASON_NEVER_ALLOCATED);
    report.app_id = app;
    report.peer = "ipv4:192.0.2.7:" + std::to_string(i);
    metrics_.OnStreamOver(report);
    // A reason of the future, or none at all.
    const auto unknown = static_cast<ErrorDetail::Reason>(i % 2 == 0 ? i + 100 : -i);
    metrics_.OnStreamOver(Report(Open::kClaim, unknown));
  }
  EXPECT_EQ(Page().series().size(), series);
}

TEST_F(MetricsTest, ThreadsCountTogether) {
  constexpr int kEach = 10'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < kEach; ++i) metrics_.OnFrame(kListed, 2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Page().Value("wormhole_frame_bytes_total{app=\"example.com/listed\"}"), 4 * kEach * 2);
}

}  // namespace
}  // namespace wormhole::relay
