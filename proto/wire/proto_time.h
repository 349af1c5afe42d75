// Times as protobuf has them.
#ifndef WORMHOLE_PROTO_WIRE_PROTO_TIME_H_
#define WORMHOLE_PROTO_WIRE_PROTO_TIME_H_

#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace wormhole::wire {

// `from` is finite.
inline void Assign(absl::Duration from, google::protobuf::Duration& to) {
  to.set_seconds(absl::IDivDuration(from, absl::Seconds(1), &from));
  to.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(from)));
}

inline void Assign(absl::Time from, google::protobuf::Timestamp& to) {
  const int64_t seconds = absl::ToUnixSeconds(from);  // floors
  to.set_seconds(seconds);
  to.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(from - absl::FromUnixSeconds(seconds))));
}

}  // namespace wormhole::wire

#endif  // WORMHOLE_PROTO_WIRE_PROTO_TIME_H_
