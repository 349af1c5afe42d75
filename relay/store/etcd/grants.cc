// The leases of EtcdStore: those of channels, and the one of this relay's presence.
#include <algorithm>
#include <utility>

#include "relay/store/etcd/etcd_store.h"
#include "relay/store/steady_now.h"

namespace wormhole::relay {
namespace {

// Between two attempts to renew what etcd does not renew.
constexpr absl::Duration kPause = absl::Milliseconds(500);

}  // namespace

EtcdLeases::Now EtcdStore::Now() { return {.wall = options_.clock->Now(), .steady = SteadyNow()}; }

void EtcdStore::GrantLease(const MissingLease& missing) {
  const EtcdLeases::Now now = Now();
  const absl::Time due_at = missing.due_at;
  client_.Grant(
      absl::ToInt64Seconds(absl::Ceil(EtcdLeases::TtlOf(due_at, now), absl::Seconds(1))),
      [this, missing, now](const absl::StatusOr<etcdserverpb::LeaseGrantResponse>& lease) {
        EtcdAnswers answers;
        {
          sync::MutexLock lock(mutex_);
          if (lease.ok()) {
            Worked(/*wrote=*/true);
            leases_.Add(missing.due_at, lease->id(), now);
          } else {
            Failed(lease.status());
            if (full_) FailChannel(missing.key, lease.status(), answers);
          }
        }
        GiveAnswers(std::move(answers));
      });
}

// Neither batches nor what they tell of the store depend on it: one that is full grants none, and
// is read all the same.
void EtcdStore::WantPresenceLease() {
  const absl::Duration now = SteadyNow();
  {
    sync::MutexLock lock(mutex_);
    if (presence_lease_ != 0 || asking_for_presence_ || stopping_) return;
    if (now - presence_asked_at_ < kPause) return;
    asking_for_presence_ = true;
    presence_asked_at_ = now;
  }
  client_.Grant(absl::ToInt64Seconds(options_.presence_ttl),
                [this, now](const absl::StatusOr<etcdserverpb::LeaseGrantResponse>& lease) {
                  if (!lease.ok()) ProbeSoon();
                  {
                    sync::MutexLock lock(mutex_);
                    asking_for_presence_ = false;
                    if (lease.ok()) {
                      presence_lease_ = lease->id();
                      renewed_at_ = now;
                    }
                  }
                  Advance();
                });
}

void EtcdStore::KeepPresence(absl::Duration now) {
  int64_t lease = 0;
  {
    sync::MutexLock lock(mutex_);
    if (presence_lease_ == 0 || renewing_ || stopping_) return;
    if (now - renewed_at_ < options_.presence_ttl / 3 || now - renewal_tried_at_ < kPause) return;
    lease = presence_lease_;
    renewal_tried_at_ = now;
    renewing_ = true;
  }
  client_.KeepAlive(lease, [this, lease, now](
                               const absl::StatusOr<etcdserverpb::LeaseKeepAliveResponse>& answer) {
    OnRenewal(lease, now, answer.status());
  });
}

// Batches alone tell whether the store works and when the next one goes: an etcd that takes no
// writes renews leases all the same, and one renewal that is lost is no reason for posts to wait.
void EtcdStore::OnRenewal(int64_t lease, absl::Duration asked_at, const absl::Status& status) {
  if (!status.ok() && !absl::IsNotFound(status)) ProbeSoon();
  sync::MutexLock lock(mutex_);
  renewing_ = false;
  if (status.ok()) renewed_at_ = asked_at;
  if (absl::IsNotFound(status) && lease == presence_lease_) LosePresence();
}

// The keys are gone with the lease, and with them the other relays' knowledge of who is attached
// here: they are written again under a new one.
void EtcdStore::LosePresence() {
  presence_lease_ = 0;
  presence_.SayAgain();
}

// Those that were granted since the copy was made are gone. The one of the presence may be there,
// with keys that say where sides were attached then: they go with it.
void EtcdStore::ForgetLeases() {
  if (options_.on_restored) options_.on_restored();
  int64_t lease = 0;
  {
    sync::MutexLock lock(mutex_);
    ++restorings_;
    leases_.Clear();
    lease = presence_lease_;
    presence_.Rewind();
    LosePresence();
  }
  if (lease != 0) client_.Revoke(lease, [](const auto&) {});
}

}  // namespace wormhole::relay
