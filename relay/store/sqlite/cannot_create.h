// Why a file of the store cannot be made, and what to do about it: for whoever forgot a volume, or
// mounted one that belongs to another user.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_CANNOT_CREATE_H_
#define WORMHOLE_RELAY_STORE_SQLITE_CANNOT_CREATE_H_

#include <string>

#include "absl/status/status.h"

namespace wormhole::relay {

// The status of the errno that open(2) left for `path`, in one line. `what` is for people: "the
// SQLite file".
absl::Status CannotCreate(int error, const std::string& what, const std::string& path);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_CANNOT_CREATE_H_
