#include "relay/server/shared_page.h"

#include <latch>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

class SharedPageTest : public ::testing::Test {
 protected:
  int written_ = 0;
  SharedPage page_{[this] { return "page " + std::to_string(++written_); }};
};

TEST_F(SharedPageTest, ThoseWhoCameBeforeAPageWasBegunShareIt) {
  const uint64_t first = page_.begun();
  const uint64_t second = page_.begun();
  EXPECT_EQ(*page_.After(first), "page 1");
  EXPECT_EQ(*page_.After(second), "page 1");
}

TEST_F(SharedPageTest, NobodyGetsAPageOlderThanHimself) {
  page_.After(page_.begun());
  EXPECT_EQ(*page_.After(page_.begun()), "page 2");
  EXPECT_EQ(*page_.After(0), "page 2");  // a newer one does as well
}

TEST_F(SharedPageTest, APageLivesAsLongAsSomebodyReadsIt) {
  const SharedPage::Page first = page_.After(0);
  page_.After(page_.begun());
  EXPECT_EQ(*first, "page 1");
}

// Of two threads, as of two addresses.
TEST(SharedPageThreads, WhoComesWhileAPageIsWrittenWaitsForTheNext) {
  std::latch begun(1);
  std::latch go_on(1);
  int written = 0;
  SharedPage page([&] {
    begun.count_down();
    go_on.wait();
    return std::to_string(++written);
  });
  std::thread first([&] { EXPECT_EQ(*page.After(0), "1"); });
  begun.wait();
  const uint64_t late = page.begun();  // without waiting
  go_on.count_down();
  EXPECT_EQ(*page.After(late), "2");
  first.join();
}

}  // namespace
}  // namespace wormhole::relay
