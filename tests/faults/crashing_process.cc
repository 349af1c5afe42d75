#include "tests/faults/crashing_process.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace wormhole::faults {

std::string At(const std::string& kind, int step) { return absl::StrCat(kind, ":", step); }

CrashingProcess::CrashingProcess(Scene& scene, std::string name, bool receiver, int timeout_seconds)
    : scene_(scene),
      name_(std::move(name)),
      receiver_(receiver),
      timeout_seconds_(timeout_seconds),
      files_(scene.folder().File(name_ + (receiver ? ".receiver" : ".initiator"))) {}

void CrashingProcess::Start(const std::string& command, const std::string& point,
                            const std::string& last) {
  std::vector<std::string> arguments = {
      getenv("WORMHOLE_CRASHING_SIDE"),
      command,
      name_,
      scene_.relay().address(),
      files_,
      scene_.folder().File(receiver_ ? "receivers.log" : "initiators.log"),
      absl::StrCat(timeout_seconds_),
      point};
  if (!last.empty()) arguments.push_back(last);
  process_ = std::make_unique<testing::ChildProcess>(
      testing::ChildProcess::Options{.arguments = std::move(arguments)});
}

void CrashingProcess::Resume(const std::string& point, int state) {
  Start(receiver_ ? "resume-receiver" : "resume-initiator", point,
        absl::StrCat(files_, ".", state == 0 ? states() : state));
}

void CrashingProcess::GoOn(const std::string& point, const std::string& code) {
  if (states() > 0) return Resume(point);
  receiver_ ? Receive(point, code) : Initiate(point);
}

std::string CrashingProcess::AwaitCode() {
  return process_->WaitForLine(testing::ChildProcess::kOut, "code ");
}

bool CrashingProcess::AwaitDeath() {
  const int status = process_->WaitForExit();
  EXPECT_TRUE(status == 0 || status == 128 + SIGKILL) << status << process_->err();
  return status == 128 + SIGKILL;
}

int CrashingProcess::states() const {
  int count = 0;
  while (std::filesystem::exists(absl::StrCat(files_, ".", count + 1))) ++count;
  return count;
}

}  // namespace wormhole::faults
