// Whether etcd answers, and when EtcdStore tries it again. Pure: the time comes in as a value, of a
// clock that never goes back. One thread.
//
// Batches tell, and the leases that they need. An etcd that is full refuses what writes and answers
// what reads.
#ifndef WORMHOLE_RELAY_STORE_ETCD_AVAILABILITY_H_
#define WORMHOLE_RELAY_STORE_ETCD_AVAILABILITY_H_

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/store/trouble_report.h"

namespace wormhole::relay {

class EtcdAvailability {
 public:
  // `endpoints`: after a failure the client goes on to the next of so many at once, and pauses only
  // when all of them have failed.
  EtcdAvailability(size_t endpoints, TroubleReport report)
      : endpoints_(static_cast<int>(endpoints)), report_(std::move(report)) {}

  // etcd has carried out something that `wrote`, or that only read.
  void Answered(bool wrote);
  // The same, and the store works: the report says so, if it has told of trouble.
  void Worked(bool wrote);
  void Failed(const absl::Status& why, absl::Duration now);
  // etcd answers, and the store does not work yet. The report tells why.
  void NotYet(const absl::Status& why) { report_.Failed(why); }
  // Something that is no batch had no answer. The next batch is sent even if there is nothing to
  // put into it, and shows whether etcd is there.
  void ProbeSoon() { probe_soon_ = true; }

  // The last batch has failed, or etcd is full.
  bool failing() const { return failures_ != 0; }
  // etcd takes no writes.
  bool full() const { return full_; }
  // Whether a batch may go now; and one that writes.
  bool MayTry(absl::Duration now) const { return now >= try_at_; }
  bool MayWrite(absl::Duration now) const { return !full_ || now >= write_at_; }

  // Whether a batch that has nothing else is to go, as a probe. Clients may stay away from a relay
  // that is not ready, so that no call of theirs would show that etcd is back. True: it goes.
  bool TakeProbe(absl::Duration now);
  // Whether it is time to look for calls that have waited too long: while etcd fails, or calls are
  // `held` back for another reason. True: the caller looks.
  bool TakeOverdueCheck(absl::Duration now, bool held);

 private:
  const int endpoints_;
  TroubleReport report_;
  int failures_ = 0;  // in a row
  bool full_ = false;
  bool probe_soon_ = false;
  absl::Duration try_at_;
  absl::Duration write_at_;  // while etcd is full
  absl::Duration overdue_checked_at_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_AVAILABILITY_H_
