// Hands what the library's callbacks say to the main thread.
#ifndef WORMHOLE_CLIENT_CLI_EVENTS_H_
#define WORMHOLE_CLIENT_CLI_EVENTS_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/file_descriptor.h"
#include "proto/sync/mutex.h"
#include "wormhole/wormhole.h"

namespace wormhole::cli {

struct Event {
  enum class Kind {
    kCode,      // `value`
    kVerifier,  // `value`
    kData,      // `value`; the exchange is over
    kProgress,  // `progress`
    kFinished,  // the relay knows of the end, or cannot be told
  };
  Kind kind = Kind::kProgress;
  absl::StatusOr<std::string> value = std::string();
  ProgressEvent progress;
};

// A queue that poll() can wait for. Callbacks share it with the main thread, since they may come
// while that is ending.
class Events {
 public:
  static absl::StatusOr<std::shared_ptr<Events>> Create();

  // Any thread.
  void Push(Event event) WORMHOLE_EXCLUDES(mutex_);
  // Readable while there are events.
  int fd() const { return fd_.get(); }
  // The oldest. Does not block.
  std::optional<Event> Pop() WORMHOLE_EXCLUDES(mutex_);

 private:
  explicit Events(FileDescriptor fd) : fd_(std::move(fd)) {}

  const FileDescriptor fd_;
  sync::Mutex mutex_;
  std::deque<Event> events_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_EVENTS_H_
