// What the defaults let people do.
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "proto/net/address.h"
#include "relay/admission/admission.h"
#include "relay/channel/post_budget.h"
#include "relay/config/config.h"

namespace wormhole::relay {
namespace {

AdmissionRules Shipped() {
  const RelayConfig config;
  AdmissionRules rules = {.streams_per_address = config.max_streams_per_address,
                          .streams = config.max_streams,
                          .channels_per_address = config.max_channels_per_address};
  rules.acts[Act::kConnect] = config.max_connections_per_minute;
  rules.acts[Act::kOpenStream] = config.max_stream_opens_per_minute;
  rules.acts[Act::kAllocate] = config.max_allocations_per_minute;
  rules.acts[Act::kClaim] = config.max_claims_per_minute;
  rules.acts[Act::kFailClaim] = config.max_failed_claims_per_minute;
  return rules;
}

// A campus, a carrier's NAT: a thousand exchanges with both their sides there, and every twentieth
// code mistyped. All in one moment, before a bucket has got anything back.
TEST(DefaultsTest, AThousandPeopleBehindOneAddressDoAnExchangeEach) {
  constexpr absl::Duration kNow = absl::Hours(5);
  Admission admission(Shipped());
  const std::optional<net::Address> campus = net::Address::Parse("192.0.2.7");
  for (int n = 0; n < 1000; ++n) {
    for (int side = 0; side < 2; ++side) {
      ASSERT_FALSE(admission.Connect(campus, kNow)) << n;
      ASSERT_FALSE(admission.Enter(campus, kNow)) << n;
    }
    ASSERT_FALSE(admission.Allocate(campus, "app", kNow)) << n;
    admission.Began(absl::StrCat(n), campus, kNow);
    if (n % 20 == 0) {
      ASSERT_FALSE(admission.Claim(campus, "app", kNow)) << n;
      admission.NoteFailedClaim(campus, kNow);
    }
    ASSERT_FALSE(admission.Claim(campus, "app", kNow)) << n;
  }
  EXPECT_EQ(admission.stream_count(), 2000);
}

// Two frames of a handshake and the largest data each way, all of it posted twice.
TEST(DefaultsTest, AnExchangeWaitsForNoBudget) {
  constexpr absl::Duration kNow = absl::Hours(5);
  const RelayConfig config;
  PostBudget budget(config.max_posted_bytes_per_second, config.limits);
  for (int n = 0; n < 12; ++n) {
    ASSERT_TRUE(budget.Allows(kNow)) << n;
    budget.Take(n % 3 == 0 ? config.limits.max_frame_bytes : 100, kNow);
  }
  EXPECT_TRUE(budget.Allows(kNow));
}

}  // namespace
}  // namespace wormhole::relay
