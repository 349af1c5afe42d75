// What etcd had, and had no more when it was put back to an older copy; and what of it has come to
// pass again. Where all that a relay knew has come to pass again, in the same words and under the
// same revisions, its history is etcd's still, and there is nothing to find out: as when the copy
// lacks the end of a lease, which ends again.
#ifndef WORMHOLE_TESTS_SIMULATION_ETCD_LOST_EVENTS_H_
#define WORMHOLE_TESTS_SIMULATION_ETCD_LOST_EVENTS_H_

#include <cstdint>
#include <vector>

#include "etcd_rpc.pb.h"

namespace wormhole::simulation {

class LostEvents {
 public:
  // Etcd was put back to `revision`, and had these events after it. False: `events` are not all,
  // since some were compacted.
  void Add(int64_t revision, const std::vector<etcdserverpb::Event>& events, bool all);
  // It has a new event.
  void Note(const etcdserverpb::Event& event);
  // Whether something was lost up to `revision`, and all of that is there again.
  bool AllAgainUpTo(int64_t revision) const;

 private:
  struct Lost {
    etcdserverpb::Event event;
    bool again = false;
  };

  std::vector<Lost> lost_;
  bool all_ = true;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_ETCD_LOST_EVENTS_H_
