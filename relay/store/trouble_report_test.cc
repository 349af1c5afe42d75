#include "relay/store/trouble_report.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::ElementsAre;

class TroubleReportTest : public ::testing::Test {
 protected:
  void Fail(const std::string& why) { report_.Failed(absl::UnavailableError(why)); }

  std::vector<std::string> told_;
  TroubleReport report_{[this](const absl::Status& status) {
    told_.push_back(status.ok() ? "works" : std::string(status.message()));
  }};
};

TEST_F(TroubleReportTest, TellsWhyAndThatItIsOver) {
  report_.Worked();
  Fail("full");
  Fail("broken");
  report_.Worked();
  report_.Worked();
  EXPECT_THAT(told_, ElementsAre("full", "broken", "works"));
}

TEST_F(TroubleReportTest, EachChangeIsToldAtOnce) {
  for (int i = 0; i < 2; ++i) {
    Fail("full");
    EXPECT_TRUE(report_.failing());
    report_.Worked();
    EXPECT_FALSE(report_.failing());
  }
  EXPECT_THAT(told_, ElementsAre("full", "works", "full", "works"));
}

TEST_F(TroubleReportTest, NobodyNeedsToBeTold) {
  TroubleReport report(nullptr);
  report.Failed(absl::UnavailableError("full"));
  EXPECT_TRUE(report.failing());
  report.Worked();
  EXPECT_FALSE(report.failing());
}

}  // namespace
}  // namespace wormhole::relay
