// One side of an exchange that crashes and comes back: a process (crashing_side) that kills itself
// at a given point, and that the test starts again from one of the states that it saved.
#ifndef WORMHOLE_TESTS_FAULTS_CRASHING_PROCESS_H_
#define WORMHOLE_TESTS_FAULTS_CRASHING_PROCESS_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/faults/scene.h"
#include "tests/support/child_process.h"

namespace wormhole::faults {

// "KIND:N" of crashing_side.cc.
std::string At(const std::string& kind, int step);
inline constexpr char kNever[] = "never:0";
inline constexpr const char* kKinds[] = {"before-save", "after-save", "before-send", "after-send",
                                         "before-response"};

// From one thread, in all its lives: a process dies with the thread that started it.
class CrashingProcess {
 public:
  CrashingProcess(Scene& scene, std::string name, bool receiver, int timeout_seconds = 120);

  void Initiate(const std::string& point) { Start("initiate", point, ""); }
  void Receive(const std::string& point, const std::string& code) { Start("receive", point, code); }
  // From state number `state`, the last one when it is 0.
  void Resume(const std::string& point, int state = 0);
  // From the last state; from the beginning if there is none, which nobody has noticed then.
  void GoOn(const std::string& point, const std::string& code);

  // The code that it shows, empty if it dies before, or was restored when the code was used up.
  std::string AwaitCode();
  // Waits for the end of this life. True when it died where it was told to.
  bool AwaitDeath();

  // How many states there are.
  int states() const;

 private:
  void Start(const std::string& command, const std::string& point, const std::string& last);

  Scene& scene_;
  const std::string name_;
  const bool receiver_;
  const int timeout_seconds_;
  const std::string files_;
  std::unique_ptr<testing::ChildProcess> process_;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_CRASHING_PROCESS_H_
