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
  EXPECT_THAT(Selectors("sum by (grpc_code) (vector(1)) + 1d"), IsEmpty());
}

TEST(PromqlTest, PartsOfAnExpression) {
  const PromqlParts parts = ReadPromql(
      R"(histogram_quantile(0.9, sum by (job, le) (rate(a_bucket{x="}b(",
         y="z"}[5m] offset 1d))) > bool 1e3 and on(job) group_left c or {__name__="d"} unless e == 0)");
  EXPECT_THAT(parts.selectors,
              ElementsAre(R"(a_bucket{x="}b(",y="z"})", "c", R"({__name__="d"})", "e"));
  EXPECT_THAT(parts.groupings, ElementsAre("(job,le)", "(job)"));
  EXPECT_THAT(parts.unnamed_groupings, IsEmpty());
}

TEST(PromqlTest, AddingUpAndMatchingWithoutNamedLabels) {
  EXPECT_THAT(
      ReadPromql("sum(a) + sum without (x) (b) * ignoring (y) group_left (z) c").unnamed_groupings,
      ElementsAre("sum", "without", "ignoring"));
  EXPECT_THAT(ReadPromql("sum(a) + sum without (x) (b)").selectors, ElementsAre("a", "b"));
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
