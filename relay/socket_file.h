// A socket in the file system as a relay's address: unix:PATH, for a sidecar or a proxy on the same
// machine.
#ifndef WORMHOLE_RELAY_SOCKET_FILE_H_
#define WORMHOLE_RELAY_SOCKET_FILE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wormhole::relay {

// PATH of unix:PATH and unix:///PATH; empty for anything else.
std::string SocketPath(std::string_view listen);

// A path that can be bound: what was left there by a relay that is dead has been removed. While it
// lives, no other relay makes room in the same folder, so that of two that start at once one finds
// the other's socket alive. Not thread-safe.
class SocketPlace {
 public:
  // UNAVAILABLE with one line for people when somebody listens there, something else than a socket
  // is there, or the folder cannot be used.
  static absl::StatusOr<std::unique_ptr<SocketPlace>> Make(const std::string& path);
  ~SocketPlace();
  SocketPlace(const SocketPlace&) = delete;
  SocketPlace& operator=(const SocketPlace&) = delete;

  // Gives the socket, which has been bound meanwhile, to its owner and its group: mode 0660.
  absl::Status Restrict() const;

 private:
  SocketPlace(std::string path, int folder);

  const std::string path_;
  const int folder_;  // locked as long as it is open
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SOCKET_FILE_H_
