// Fault 1: a relay on SQLite is killed about every second, and comes back on its port and file.
#include <string>

#include "gtest/gtest.h"
#include "tests/faults/scene.h"

namespace wormhole::faults {
namespace {

TEST(RelayKilledTest, EveryExchangeFinishes) {
  Scene scene;
  int kills = 0;
  scene.RunDuring([&] {
    scene.AwaitSomeEvents();
    scene.relay().Kill();
    ++kills;
    ASSERT_TRUE(scene.relay().Start()) << scene.relay().process().error();
  });
  scene.ExpectAllFinished("relay killed " + std::to_string(kills) + " times");
  EXPECT_GE(kills, 1);
}

}  // namespace
}  // namespace wormhole::faults
