// Ctrl-C and its kin as a file descriptor, so that nothing runs in a signal handler.
#ifndef WORMHOLE_CLIENT_CLI_INTERRUPT_H_
#define WORMHOLE_CLIENT_CLI_INTERRUPT_H_

#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/file_descriptor.h"

namespace wormhole::cli {

// Takes SIGINT, SIGTERM and SIGHUP. Not thread safe.
class Interrupt {
 public:
  // Blocks the three signals, so it comes before the first thread is made: threads inherit that. A
  // SIGHUP that the parent had ignored (nohup) stays ignored.
  static absl::StatusOr<Interrupt> Install();

  // Readable when a signal came that Take() has not taken.
  int fd() const { return fd_.get(); }
  // Takes one signal, if there is one. Does not block.
  bool Take();

 private:
  explicit Interrupt(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

// The status of what was given up because of an interrupt: CANCELLED with Reason::kCancelled.
absl::Status Interrupted();

// Waits until `fd` is readable and reads up to `size` bytes; 0 is the end. Interrupted() when a
// signal comes first, which is taken.
absl::StatusOr<size_t> ReadSome(int fd, char* buffer, size_t size, Interrupt& interrupt);

// Writes all of `bytes`. Interrupted() when a signal comes while a slow reader holds it up.
absl::Status WriteAll(int fd, std::string_view bytes, Interrupt& interrupt);

// Waits until what was written to `fd` is on the disk. OK for what has no disk: pipes, terminals,
// sockets.
absl::Status SyncOutput(int fd);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_INTERRUPT_H_
