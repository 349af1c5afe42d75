#include "tests/end_to_end/backup_fixture.h"

#include <cstdlib>
#include <filesystem>

#include "tests/support/child_process.h"

namespace wormhole::testing {

BackupTest::Run BackupTest::RunScript(const std::string& name, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "deploy/" + name);
  ChildProcess script({.arguments = std::move(arguments),
                       .environment = {{"PATH", PathOf("bin") + ":" + std::getenv("PATH")}}});
  const int status = script.WaitForExit();
  return {status, script.out().substr(0, script.out().find('\n')), script.err()};
}

std::string BackupTest::Backup() {
  const std::string folder = PathOf("backup" + std::to_string(++backups_));
  std::filesystem::create_directory(folder);
  const Run run = RunScript("backup", {PathOf("relay.db"), folder});
  EXPECT_EQ(run.status, 0) << run.err;
  return run.out;
}

void BackupTest::RollBack(const std::string& copy, bool killed) {
  killed ? KillRelay() : StopRelay();
  const Run run = RunScript("restore", {copy, PathOf("relay.db")});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(std::filesystem::exists(run.out + "/relay.db")) << run.out;
  StartRelay();
}

void BackupTest::ExpectToServe() {
  auto initiator = Initiator::Create(NewOptions(), "a new one");
  auto receiver = Receiver::Create(NewOptions(), initiator->GetCode().value(), "another");
  EXPECT_EQ(initiator->GetData().value_or("failed"), "another");
  EXPECT_EQ(receiver->GetData().value_or("failed"), "a new one");
}

}  // namespace wormhole::testing
