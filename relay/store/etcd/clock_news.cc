// What EtcdStore has to do with clocks: it tells the other relays of this relay's, and takes over
// the time that they go by (clocks.h).
#include <chrono>

#include "relay/store/etcd/etcd_store.h"
#include "relay/store/steady_now.h"

namespace wormhole::relay {

// The word of a relay that lives comes within seconds, and that of one that has gone goes with its
// lease, which etcd lets last anew when it has elected a leader.
void EtcdStore::AwaitClocks() {
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(2 * options_.presence_ttl);
  sync::MutexLock lock(mutex_);
  while (clocks_.on_loan() && clocks_heard_.WaitUntil(mutex_, deadline)) {
  }
}

void EtcdStore::TakeClocks(const std::vector<ClockSighting>& all, bool restored) {
  sync::MutexLock lock(mutex_);
  Follow(clocks_.TakeAll(all, restored, options_.clock->Read()));
}

void EtcdStore::TakeClock(const ClockSighting& one) {
  sync::MutexLock lock(mutex_);
  Follow(clocks_.Take(one, options_.clock->Read()));
}

void EtcdStore::Follow(absl::Duration by) {
  if (by != absl::ZeroDuration()) options_.clock->Shift(by);
  clocks_heard_.NotifyAll();
  options_.clock->SetOutvoted(clocks_.IsOutvoted(options_.clock->Read()));
}

// At once when the clock was set, or has become right: whether the others' are outvoted depends on
// it. Not under a lease that may have ended: etcd would refuse the whole batch.
void EtcdStore::AddClock(Batch& batch) {
  const ClockReading now = options_.clock->Read();
  const ClockSaid say{.at = SteadyNow(), .lease = presence_lease_, .offset = now.offset};
  if (presence_lease_ == 0 || Room(batch) <= 0) return;
  if (say.at - renewed_at_ >= options_.presence_ttl) return;
  const bool is_news =
      !clock_said_ || clock_said_->lease != say.lease || clock_said_->offset != say.offset;
  if (!is_news && say.at - clock_said_->at < options_.presence_ttl / 3) return;
  etcdserverpb::PutRequest* const put = batch.request.add_success()->mutable_request_put();
  put->set_key(keys_.Clock(options_.relay_id));
  put->set_value(WriteClock({.time = now.time, .offset = now.offset}, options_.relay_id));
  put->set_lease(presence_lease_);
  batch.clock = say;
  batch.writes = true;
  if (is_news) Follow(absl::ZeroDuration());
}

}  // namespace wormhole::relay
