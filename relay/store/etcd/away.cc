// What EtcdStore does when etcd is away: it tries again, less and less often, gives up what has
// waited long enough, and looks whether etcd is there when nothing else would show it.
#include <algorithm>
#include <utility>

#include "relay/store/etcd/etcd_store.h"
#include "relay/store/steady_now.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Compare;

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(1);
constexpr absl::Duration kOverdueEvery = absl::Milliseconds(100);

}  // namespace

// One that is full is read all the same.
void EtcdStore::Worked(bool wrote) {
  if (full_ && !wrote) return;
  full_ = false;
  failures_ = 0;
  try_at_ = write_at_ = absl::ZeroDuration();
  report_.Worked();
}

void EtcdStore::Failed(const absl::Status& why) {
  if (stopping_) return;  // cancelled
  full_ = absl::IsResourceExhausted(why);
  if (absl::IsNotFound(why)) {  // a lease, of which etcd may forget all
    leases_.Clear();
    LosePresence();
  }
  // At once at the next endpoint; when all have failed, less and less often.
  ++failures_;
  const int rounds = failures_ - static_cast<int>(options_.servers.endpoints.size());
  const absl::Duration pause =
      rounds <= 0 ? absl::ZeroDuration()
                  : std::min(kLongestPause, kFirstPause * (1 << std::min(rounds - 1, 8)));
  (full_ ? write_at_ : try_at_) = SteadyNow() + pause;  // one that is full answers reads
  report_.Failed(why);
}

void EtcdStore::ProbeSoon() {
  sync::MutexLock lock(mutex_);
  probe_soon_ = true;
}

// Clients may stay away from a relay that is not ready, so that no call of theirs would show that
// etcd is back.
//
// It reads a key, and would write it on a condition that never holds: an etcd that takes no writes
// refuses it, as it does batches that write (see AskForSpace).
void EtcdStore::AddLook(Batch& batch) {
  if (failures_ == 0 && !probe_soon_) return;
  if (full_ && SteadyNow() < write_at_) return;
  probe_soon_ = false;
  batch.writes = true;
  Compare* const never = batch.request.add_compare();
  never->set_key(keys_.root());
  never->set_target(Compare::VERSION);
  never->set_result(Compare::LESS);
  never->set_version(0);
  batch.request.add_success()->mutable_request_put()->set_key(keys_.root());
  batch.request.add_failure()->mutable_request_range()->set_key(keys_.root());
}

void EtcdStore::FailChannel(const ChannelKey& key, const absl::Status& why, EtcdAnswers& answers) {
  const absl::Status status = StoreAway(std::string(why.message()));
  const auto calls = calls_.find(key);
  if (calls == calls_.end()) return;
  for (EtcdCall& call : calls->second) FailCall(call, status, answers);
  calls->second.clear();
}

// Those that are with etcd have an answer coming.
void EtcdStore::FailOverdue(absl::Duration now, EtcdAnswers& answers) {
  if (failures_ == 0 || now - overdue_looked_at_ < kOverdueEvery) return;
  overdue_looked_at_ = now;
  const absl::Status status =
      StoreAway("etcd is away, or has no leader; other relays may have one");
  for (auto& [key, calls] : calls_) {
    const auto in_flight = in_flight_.find(key);
    const size_t first = in_flight == in_flight_.end() ? 0 : in_flight->second;
    const auto overdue = [&](EtcdCall& call) {
      const auto* put = std::get_if<PutCall>(&call.what);
      const bool creates = put != nullptr && put->expected == 0;
      return now - call.since >= (creates ? options_.creation_patience : options_.patience);
    };
    for (auto call = calls.begin() + static_cast<std::ptrdiff_t>(first); call != calls.end();) {
      if (!overdue(*call)) {
        ++call;
        continue;
      }
      FailCall(*call, status, answers);
      call = calls.erase(call);
    }
  }
  std::erase_if(side_calls_, [&](SideCall& call) {
    if (now - call.since < options_.patience) return false;
    answers.push_back([done = std::move(call.done), status] { done(status); });
    return true;
  });
}

}  // namespace wormhole::relay
