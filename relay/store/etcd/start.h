// How far the start of EtcdStore has come. Pure: the time comes in as a value, of a clock that
// never goes back. One thread.
//
// First everything is read, again and again while etcd is away. Then this relay's time has to be
// sure, since what it makes or ends by a wrong one stays so. Nothing that a client wants goes to
// etcd before both.
#ifndef WORMHOLE_RELAY_STORE_ETCD_START_H_
#define WORMHOLE_RELAY_STORE_ETCD_START_H_

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace wormhole::relay {

class EtcdStart {
 public:
  // `most`: for how long the start waits for a time that is not sure. A relay that lives tells its
  // time within seconds. What one has told that is gone goes with its lease, which etcd lets last
  // anew when it has elected a leader.
  explicit EtcdStart(absl::Duration most) : most_(most) {}

  // What came of reading everything; once it has worked, or cannot, later ones count no more.
  void NoteRead(const absl::Status& status, absl::Duration now);
  // Whether the time is sure. True, once: the start is over, and the store works.
  bool TakeEnd(bool time_is_sure, absl::Duration now);

  // Everything is known, and this relay may tell the others of itself.
  bool has_read() const { return stage_ == Stage::kUnsure || stage_ == Stage::kOver; }
  bool is_over() const { return stage_ == Stage::kOver; }
  // Waiting would not help. Why: the last that NoteRead was told.
  bool is_hopeless() const { return stage_ == Stage::kHopeless; }

 private:
  enum class Stage { kReading, kUnsure, kOver, kHopeless };

  const absl::Duration most_;
  Stage stage_ = Stage::kReading;
  absl::Duration read_at_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_START_H_
