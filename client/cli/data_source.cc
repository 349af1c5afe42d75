#include "client/cli/data_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/file_descriptor.h"
#include "client/core/failure.h"
#include "proto/wire/limits.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

absl::Status BadInput(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

// Leaves an interrupt as it is, and names the source in the message of all else.
absl::Status Explain(const absl::Status& status, const std::string& source, size_t limit) {
  if (ReasonOf(status) == Reason::kCancelled) return status;
  if (ReasonOf(status) == Reason::kTimeout) {
    return core::Failure(
        Reason::kTimeout, absl::StatusCode::kDeadlineExceeded,
        absl::StrCat("the timeout ended while ", source, " was being read; nothing was sent"));
  }
  if (absl::IsFailedPrecondition(status)) {
    return BadInput(absl::StrCat(source, " is closed; use --data or --file, or </dev/null to send ",
                                 "nothing"));
  }
  if (absl::IsOutOfRange(status)) {
    return BadInput(absl::StrCat(source, " has more than ", limit, " bytes; send less"));
  }
  return BadInput(absl::StrCat("cannot read ", source, ": ", status.message()));
}

}  // namespace

absl::StatusOr<std::string> ReadUpTo(int fd, size_t limit, Interrupt& interrupt) {
  std::string data(limit + 1, '\0');
  size_t size = 0;
  while (true) {
    absl::StatusOr<size_t> count = ReadSome(fd, &data[size], data.size() - size, interrupt);
    if (!count.ok()) return count.status();
    if (*count == 0) break;
    size += *count;
    if (size > limit) return absl::OutOfRangeError("too much");
    // After each read, or input that keeps trickling would outlast the deadline.
    if (interrupt.expired()) return TimedOut();
  }
  data.resize(size);
  return data;
}

absl::StatusOr<std::string> ReadFile(std::string_view option, const std::string& path, size_t limit,
                                     Interrupt& interrupt) {
  const std::string source = absl::StrCat(std::string(option), " ", path);
  // Without O_NONBLOCK a named pipe would hold up open() itself, out of Ctrl-C's reach.
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return BadInput(absl::StrCat("cannot read ", source, ": ", strerror(errno)));
  struct stat info = {};
  if (fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return BadInput(absl::StrCat(source, " is a folder; name a file"));
  }
  absl::StatusOr<std::string> data = ReadUpTo(fd.get(), limit, interrupt);
  return data.ok() ? data : Explain(data.status(), source, limit);
}

absl::StatusOr<std::string> ReadData(const Arguments& arguments, Console& console,
                                     Interrupt& interrupt) {
  if (arguments.data.has_value()) return *arguments.data;
  if (!arguments.file.empty()) {
    return ReadFile("--file", arguments.file, wire::kMaxDataBytes, interrupt);
  }
  if (isatty(STDIN_FILENO) == 1) {
    console.Note("type what the other side shall get, then Enter and Ctrl-D");
  }
  absl::StatusOr<std::string> data = ReadUpTo(STDIN_FILENO, wire::kMaxDataBytes, interrupt);
  return data.ok() ? data : Explain(data.status(), "standard input", wire::kMaxDataBytes);
}

}  // namespace wormhole::cli
