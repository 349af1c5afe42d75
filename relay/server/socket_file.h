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
// milliseconds. Bounded: any process that may open the folder can hold its lock for ever.
inline constexpr absl::Duration kSocketPatience = absl::Seconds(3);

// A path, and the socket of this process there. It is bound to another path in the same folder, and
// Publish moves it to its place once it listens and has its mode, so that nobody finds one that
// does not answer. A relay replaces a socket there only when nobody listens on it any more, and
// removes only its own: a relay that ends leaves alone what another one has put there meanwhile.
// Not thread-safe.
class SocketPlace {
 public:
  // `path` fits (socket_address.h). Until Publish, no other relay makes room in the same folder, so
  // that of two that start at once one finds the other's socket alive. UNAVAILABLE with one line
  // for people when somebody listens there, something else than a socket is there, or the folder
  // cannot be used or not be locked within `patience`.
  static absl::StatusOr<std::unique_ptr<SocketPlace>> Make(const std::string& path,
                                                           absl::Duration patience);
  // Calls Leave.
  ~SocketPlace();
  SocketPlace(const SocketPlace&) = delete;
  SocketPlace& operator=(const SocketPlace&) = delete;

  // The path to bind, once, and to listen on.
  std::string bind_path() const { return folder_name_ + bind_name_; }

  // Gives the bound socket mode 0660, for its owner and group, and moves it to its place.
  absl::Status Publish();

  // Removes the socket, if the path still has this one. Call it while the socket listens: otherwise
  // another relay might take the place first. When the folder's lock is not free the socket stays,
  // and the next relay replaces it.
  void Leave();

 private:
  SocketPlace(const std::string& path, int folder);

  absl::Status Lock(absl::Duration patience);
  // OK when the path is free, or has the socket of a dead relay.
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
