// What ends waiting: signals such as Ctrl-C, as a file descriptor, so that nothing runs in a signal
// handler; and the time that the user has given. Also the waits that these end.
#ifndef WORMHOLE_CLIENT_CLI_INTERRUPT_H_
#define WORMHOLE_CLIENT_CLI_INTERRUPT_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/file_descriptor.h"

namespace wormhole::cli {

// Takes SIGINT, SIGTERM and SIGHUP. Not thread safe.
class Interrupt {
 public:
  using Clock = std::chrono::steady_clock;

  // Blocks the three signals. Call it before the first thread is made: threads inherit the mask. A
  // SIGHUP that the parent had ignored (nohup) stays ignored.
  static absl::StatusOr<Interrupt> Install();

  // Readable when a signal came that Take() has not taken.
  int fd() const { return fd_.get(); }
  // Takes one signal, if there is one. Does not block.
  bool Take();
  // Whether a signal was ever taken: from then on the tool does not wait for slow readers.
  bool taken() const { return taken_; }

  // Until then the tool waits for input, and for readers of what is for people. Without a deadline:
  // for ever.
  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }
  std::optional<Clock::time_point> deadline() const { return deadline_; }
  bool expired() const { return deadline_.has_value() && Clock::now() >= *deadline_; }
  // How long poll() may wait, in milliseconds: -1 without a deadline.
  int patience() const;

 private:
  explicit Interrupt(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
  bool taken_ = false;
  std::optional<Clock::time_point> deadline_;
};

// The status of what a signal ended: CANCELLED with Reason::kCancelled.
absl::Status Interrupted();
// The same for the deadline: DEADLINE_EXCEEDED with Reason::kTimeout.
absl::Status TimedOut();

// Waits until `fd` is readable and reads up to `size` bytes; 0 is the end. Takes a signal that
// comes first, and returns Interrupted(); TimedOut() when nothing has come by the deadline.
absl::StatusOr<size_t> ReadSome(int fd, char* buffer, size_t size, Interrupt& interrupt);

// Writes all of `bytes`. Interrupted() when a signal comes while a slow reader holds it up. The
// deadline does not count: this writes data that has come already, and that nobody else has.
absl::Status WriteAll(int fd, std::string_view bytes, Interrupt& interrupt);

// Writes what is for people. Waits for a slow reader until the deadline or a signal, and does not
// take that signal. Then it drops what the reader has not taken, so that the program ends even
// though nobody reads. Ignores a write that fails: there is nowhere left to complain.
void WriteToPeople(int fd, std::string_view text, const Interrupt& interrupt);

// Waits until what was written to `fd` is on the disk. OK for what has no disk: pipes, terminals,
// sockets.
absl::Status SyncOutput(int fd);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_INTERRUPT_H_
