// A socket in the file system as a relay's address: unix:PATH, for a sidecar or a proxy on the same
// machine.
#ifndef WORMHOLE_RELAY_SERVER_SOCKET_FILE_H_
#define WORMHOLE_RELAY_SERVER_SOCKET_FILE_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace wormhole::relay {

// How long a relay that starts waits for another one that starts in the same folder, which takes
// milliseconds. Whoever may open the folder can hold its lock for ever.
inline constexpr absl::Duration kSocketPatience = absl::Seconds(3);

// A path, and the socket of this process there. gRPC takes away whatever is at the path that it has
// bound, when it binds and when it ends; so it binds another one, in the same folder, and the
// socket is moved to its place when it listens and has its mode. There it is replaced only when
// nobody listens on it any more, and removed only by the one whose it is: a relay that ends leaves
// alone what another one has put there meanwhile. Not thread-safe.
class SocketPlace {
 public:
  // `path` fits (socket_address.h). Until Publish, no other relay makes room in the same folder, so
  // that of two that start at once one finds the other's socket alive. UNAVAILABLE with one line
  // for people when somebody listens there, something else than a socket is there, or the folder
  // cannot be used or not be locked within `patience`.
  static absl::StatusOr<std::unique_ptr<SocketPlace>> Make(const std::string& path,
                                                           absl::Duration patience);
  // Leaves.
  ~SocketPlace();
  SocketPlace(const SocketPlace&) = delete;
  SocketPlace& operator=(const SocketPlace&) = delete;

  // What is to be bound, once, and listened on.
  std::string bind_path() const { return folder_name_ + bind_name_; }

  // Gives the socket, which has been bound meanwhile, to its owner and its group, mode 0660, and
  // puts it in its place.
  absl::Status Publish();

  // Removes the socket, if it is still this one: before nobody listens on it, or another relay
  // might take the place first. When the lock of the folder is not free it stays, and who comes
  // next replaces it.
  void Leave();

 private:
  SocketPlace(const std::string& path, int folder);

  absl::Status Lock(absl::Duration patience);
  // Whether nothing is there, or what a dead relay has left.
  absl::Status CheckFree() const;

  const std::string path_;
  const std::string folder_name_;  // empty, or with its slash
  const std::string name_;         // in the folder
  const std::string bind_name_;
  const int folder_;
  std::optional<std::pair<dev_t, ino_t>> published_;  // the socket, while it is at the path
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_SOCKET_FILE_H_
