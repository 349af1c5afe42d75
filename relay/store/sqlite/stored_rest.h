// A resting side as it stands in a batch. Pure.
#ifndef WORMHOLE_RELAY_STORE_SQLITE_STORED_REST_H_
#define WORMHOLE_RELAY_STORE_SQLITE_STORED_REST_H_

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "relay/store/memory/memory_channels.h"
#include "sqlite_batch.pb.h"

namespace wormhole::relay {

// The app-id and the side.
using SideName = std::pair<std::string, std::string>;

inline SideName NameOf(const RestingSide& side) { return {side.app_id, side.side}; }

inline RestingSide RestingSideOf(const store::StoredRest& stored) {
  return {.app_id = stored.app_id(),
          .side = stored.side(),
          .id = stored.id(),
          .until = absl::FromUnixMicros(stored.until())};
}

inline void Write(const RestingSide& side, store::StoredRest& to) {
  to.set_app_id(side.app_id);
  to.set_side(side.side);
  to.set_id(side.id);
  to.set_until(absl::ToUnixMicros(side.until));
}

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_SQLITE_STORED_REST_H_
