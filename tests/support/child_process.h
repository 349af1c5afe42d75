// A child process of a test: its output is collected, and it dies with the test.
#ifndef WORMHOLE_TESTS_SUPPORT_CHILD_PROCESS_H_
#define WORMHOLE_TESTS_SUPPORT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wormhole::testing {

// Generous: tests run on busy machines, and it is only waited out when something is broken.
inline constexpr std::chrono::seconds kPatience(60);

// Used from one thread at a time. Nothing here sleeps: waits are for output, for the end of the
// process, or for the patience to be over.
class ChildProcess {
 public:
  enum Stream { kOut = 0, kErr = 1 };

  struct Options {
    std::vector<std::string> arguments;                            // [0] is the program's path
    std::vector<std::pair<std::string, std::string>> environment;  // beside the test's own
    std::string input;        // written to standard input at once (at most 64 KiB), then...
    bool close_input = true;  // ...it is closed, or left open for WriteInput
  };

  // Ends the test process when the program cannot be started at all.
  explicit ChildProcess(Options options);
  ~ChildProcess();  // kills it with SIGKILL if it runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Waits until `text` stands in the stream; false when the process ends or patience is over
  // before it does.
  bool WaitFor(Stream stream, std::string_view text);
  // The rest of the first line that holds `prefix`, once the line is complete; empty as above.
  std::string WaitForLine(Stream stream, std::string_view prefix);
  // The exit code, 128 + the signal's number if one ended it, or -1 when patience is over.
  int WaitForExit();

  void WriteInput(std::string_view text);
  void CloseInput();
  void Signal(int signal);

  // What has been read by the waits above; all of it after WaitForExit.
  const std::string& out() const { return text_[kOut]; }
  const std::string& err() const { return text_[kErr]; }
  pid_t pid() const { return pid_; }
  bool running() const { return !exit_code_.has_value(); }

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  // Waits for one event: output, or the process's end. False when the deadline has passed or
  // nothing more can come.
  bool Pump(Deadline deadline);
  void ReadSome(Stream stream);
  void Reap();

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int input_ = -1;
  int output_[2] = {-1, -1};
  std::string text_[2];
  std::optional<int> exit_code_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_CHILD_PROCESS_H_
