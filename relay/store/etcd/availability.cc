#include "relay/store/etcd/availability.h"

#include <algorithm>

namespace wormhole::relay {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(1);
constexpr absl::Duration kOverdueEvery = absl::Milliseconds(100);

}  // namespace

// An etcd that is full answers reads, which do not show that it takes writes again.
void EtcdAvailability::Answered(bool wrote) {
  if (full_ && !wrote) return;
  full_ = false;
  failures_ = 0;
  try_at_ = write_at_ = absl::ZeroDuration();
}

void EtcdAvailability::Worked(bool wrote) {
  Answered(wrote);
  if (!full_) report_.Worked();
}

void EtcdAvailability::Failed(const absl::Status& why, absl::Duration now) {
  full_ = absl::IsResourceExhausted(why);
  ++failures_;
  const int rounds = failures_ - endpoints_;
  const absl::Duration pause =
      rounds <= 0 ? absl::ZeroDuration()
                  : std::min(kLongestPause, kFirstPause * (1 << std::min(rounds - 1, 8)));
  (full_ ? write_at_ : try_at_) = now + pause;
  report_.Failed(why);
}

bool EtcdAvailability::TakeProbe(absl::Duration now) {
  if (failures_ == 0 && !probe_soon_) return false;
  if (!MayWrite(now)) return false;
  probe_soon_ = false;
  return true;
}

bool EtcdAvailability::TakeOverdueCheck(absl::Duration now, bool held) {
  if (failures_ == 0 && !held) return false;
  if (now - overdue_checked_at_ < kOverdueEvery) return false;
  overdue_checked_at_ = now;
  return true;
}

}  // namespace wormhole::relay
