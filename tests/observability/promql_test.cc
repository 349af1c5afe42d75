#include "tests/observability/promql.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PromqlTest, SelectorsWithAndWithoutLabels) {
  EXPECT_THAT(
      Selectors(R"(sum by (job) (rate(wormhole_a_total[5m])) > 1 and on (job) up{job="x"})"),
      ElementsAre(R"(up{job="x"})", "wormhole_a_total"));
  EXPECT_THAT(Selectors("wormhole_a / wormhole_a offset 1d"), ElementsAre("wormhole_a"));
  EXPECT_THAT(Selectors("sum by (grpc_code) (vector(1)) + uptime"), IsEmpty());
}

TEST(PromqlTest, EachValueIsOne) {
  EXPECT_THAT(
      Selectors(R"(wormhole_a{b=~"c|d",e="f|g",h=~"i|j"})"),
      ElementsAre(R"(wormhole_a{b="c",e="f|g",h="i"})", R"(wormhole_a{b="c",e="f|g",h="j"})",
                  R"(wormhole_a{b="d",e="f|g",h="i"})", R"(wormhole_a{b="d",e="f|g",h="j"})"));
  EXPECT_THAT(Selectors(R"(wormhole_a{b=~".*"})"), ElementsAre(R"(wormhole_a{b=~".*"})"));
}

TEST(PromqlTest, Replaces) { EXPECT_EQ(Replaced("a$x$xb", "$x", "$x$x"), "a$x$x$x$xb"); }

}  // namespace
}  // namespace wormhole::testing
