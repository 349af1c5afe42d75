#include "relay/server/request_deadlines.h"

#include <chrono>
#include <vector>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using std::chrono::seconds;
using Numbers = std::vector<int>;

class RequestDeadlinesTest : public ::testing::Test {
 protected:
  Numbers cut_;
  RequestDeadlines deadlines_{3, seconds(10), [this](int socket) { cut_.push_back(socket); }};
  const RequestDeadlines::Time start_ = RequestDeadlines::Time(seconds(1000));
};

TEST_F(RequestDeadlinesTest, TheOldestGivesWay) {
  for (int socket = 1; socket <= 5; ++socket) deadlines_.Opened(socket, start_);
  EXPECT_EQ(cut_, (Numbers{1, 2}));
}

TEST_F(RequestDeadlinesTest, WhoIsLateIsCut) {
  deadlines_.Opened(1, start_);
  deadlines_.Opened(2, start_ + seconds(1));
  deadlines_.CutLate(start_ + seconds(9));
  EXPECT_EQ(cut_, Numbers{});
  deadlines_.CutLate(start_ + seconds(10));
  EXPECT_EQ(cut_, Numbers{1});
  deadlines_.CutLate(start_ + seconds(100));
  EXPECT_EQ(cut_, (Numbers{1, 2}));
}

TEST_F(RequestDeadlinesTest, WhoHasGoneIsNotCut) {
  for (int socket = 1; socket <= 3; ++socket) deadlines_.Opened(socket, start_);
  deadlines_.Closed(1);
  deadlines_.Opened(1, start_ + seconds(5));  // the number again
  EXPECT_EQ(cut_, Numbers{});
  deadlines_.Closed(2);
  deadlines_.Closed(3);
  deadlines_.Closed(7);
  deadlines_.CutLate(start_ + seconds(14));
  EXPECT_EQ(cut_, Numbers{});
}

}  // namespace
}  // namespace wormhole::relay
