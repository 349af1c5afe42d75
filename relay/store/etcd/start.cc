#include "relay/store/etcd/start.h"

namespace wormhole::relay {
namespace {

// What etcd, or another program at its address, says of a request that it has understood. All else
// is of a way that may open or of an etcd that may come up, and goes by when its operator helps:
// also a certificate that is not of the authority that was named, which etcd can read again.
bool IsHopeless(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:   // name and password are wrong, or missing
    case absl::StatusCode::kPermissionDenied:  // another prefix than the user's
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:  // no etcd, or one of another version
      return true;
    default:
      return false;
  }
}

}  // namespace

void EtcdStart::NoteRead(const absl::Status& status, absl::Duration now) {
  if (stage_ != Stage::kReading) return;
  if (status.ok()) {
    stage_ = Stage::kUnsure;
    read_at_ = now;
  } else if (IsHopeless(status)) {
    stage_ = Stage::kHopeless;
  }
}

bool EtcdStart::TakeEnd(bool time_is_sure, absl::Duration now) {
  if (stage_ != Stage::kUnsure || (!time_is_sure && now - read_at_ < most_)) return false;
  stage_ = Stage::kOver;
  return true;
}

}  // namespace wormhole::relay
