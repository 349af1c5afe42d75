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
  absl::Duration now_ = absl::Hours(5);
  TroubleReport report_{[this](const absl::Status& status) {
                          told_.push_back(status.ok() ? "works" : std::string(status.message()));
                        },
                        [this] { return now_; }};
};

TEST_F(TroubleReportTest, TellsWhyAndThatItIsOver) {
  report_.Worked();
  Fail("full");
  Fail("full");
  report_.Worked();
  report_.Worked();
  EXPECT_THAT(told_, ElementsAre("full", "works"));
}

TEST_F(TroubleReportTest, RemindsOnceInAnIntervalWithTheLatestReason) {
  Fail("full");
  now_ += TroubleReport::kInterval / 2;
  Fail("full");
  now_ += TroubleReport::kInterval / 2;
  Fail("broken");
  EXPECT_THAT(told_, ElementsAre("full", "broken"));
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
  TroubleReport report(nullptr, nullptr);
  report.Failed(absl::UnavailableError("full"));
  report.Worked();
}

}  // namespace
}  // namespace wormhole::relay
