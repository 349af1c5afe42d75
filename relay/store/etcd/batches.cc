// The batches of EtcdStore: what goes to etcd, and when.
#include <algorithm>
#include <utility>

#include "relay/store/etcd/etcd_store.h"
#include "relay/store/steady_now.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

// etcd's own limits are 128 operations and 1.5 MiB, unless its operator has changed them.
constexpr int kMaxOperations = 128;
constexpr size_t kMaxBytes = 1 << 20;
// Of one batch, which are small.
constexpr size_t kMaxSayings = 16;

// What the parts of a batch come to.
struct BatchSize {
  // False when the part is too much for one transaction, or writes a key that another part writes.
  bool Add(const ChannelTxn& part) {
    operations += part.operations() + 1;
    bytes += part.bytes();
    bool clash = false;
    for (const std::string& key : part.side_keys()) clash |= !written.insert(key).second;
    return operations <= kMaxOperations && bytes <= kMaxBytes && !clash;
  }

  int operations = 0;
  size_t bytes = 0;
  std::set<std::string> written;  // keys of sides, which are not the channel's own
};

// etcd refuses what writes while it is full, but does not look into nested transactions for it:
// this put shows it. It is for the case that the batch's conditions do not hold, and there are
// none.
void AskForSpace(TxnRequest& request, const EtcdKeys& keys) {
  if (request.compare_size() == 0) {
    request.add_failure()->mutable_request_put()->set_key(keys.root());
  }
}

}  // namespace

void EtcdStore::Advance() {
  std::shared_ptr<Batch> batch;
  std::optional<MissingLease> missing;
  {
    sync::MutexLock lock(mutex_);
    if (busy_ || stopping_ || SteadyNow() < try_at_) return;
    batch = MakeBatch(missing);
    if (!missing && batch == nullptr) return;
    busy_ = true;
  }
  if (missing) return GrantLease(*missing);
  batch->sent_at = SteadyNow();
  TxnRequest request = std::move(batch->request);
  client_.Txn(std::move(request), [this, batch](const absl::StatusOr<TxnResponse>& response) {
    OnBatch(batch, response);
  });
}

std::unique_ptr<EtcdStore::Batch> EtcdStore::MakeBatch(std::optional<MissingLease>& missing) {
  auto batch = std::make_unique<Batch>();
  batch->restorings = restorings_;
  leases_.DropEnded(Now());
  AddParts(*batch, missing);
  if (batch->parts.empty() && missing) return nullptr;
  missing.reset();  // the channel that lacks it is first in the next batch
  AddOthers(*batch);
  if (batch->request.success_size() == 0) return nullptr;
  if (batch->writes) AskForSpace(batch->request, keys_);
  return batch;
}

TxnContext EtcdStore::ContextNow() {
  const EtcdLeases* const leases = &leases_;  // for the lambda, which runs under the lock too
  return {.keys = &keys_,
          .relay_id = options_.relay_id,
          .lease = [leases, now = Now()](absl::Time due_at) { return leases->Find(due_at, now); },
          .presence_lease = presence_lease_,
          .rested = rested_};
}

// One that is to write while etcd is full has none, and is not planned for it: there may be
// thousands, and the batches of those that read come one after the other. Nor has one of which
// nothing else could be said for all its calls.
bool EtcdStore::HasTurn(const ChannelKey& key, const EtcdCalls& calls) {
  if (full_) return SteadyNow() >= write_at_ || !cache_.WritesNext(key, calls.front());
  if (presence_lease_ == 0) return true;
  return !presence_.PassedOver(key) &&
         !(passed_over_.contains(key) && third_parties_.contains(key));
}

// A channel whose turn it is not keeps its place, and holds up no other.
void EtcdStore::AddParts(Batch& batch, std::optional<MissingLease>& missing) {
  const TxnContext context = ContextNow();
  BatchSize size;
  for (auto next = order_.begin(); next != order_.end();) {
    const ChannelKey key = *next;
    const auto calls = calls_.find(key);
    if (calls->second.empty()) {  // all of them have failed meanwhile
      calls_.erase(calls);
      next = order_.erase(next);
      continue;
    }
    if (!HasTurn(key, calls->second)) {
      ++next;
      continue;
    }
    if (alone_ != 0 && !batch.parts.empty()) return;
    const std::optional<ChannelState> state = cache_.Find(key);
    std::optional<absl::Time> missing_lease;
    auto part = PlanPart(context, key, state ? &*state : nullptr, calls->second,
                         kMaxBytes - std::min(kMaxBytes, size.bytes), missing_lease);
    if (!MayJoin(batch, part == nullptr || part->writes())) {
      ++next;
      continue;
    }
    if (part == nullptr) {
      missing = {.key = key, .due_at = *missing_lease};
      return;
    }
    if (!size.Add(*part) && !batch.parts.empty()) return;
    batch.writes |= part->writes();
    next = order_.erase(next);
    in_flight_[key] = part->taken();
    *batch.request.add_success()->mutable_request_txn() = part->TakeRequest();
    batch.parts.push_back(std::move(part));
  }
}

bool EtcdStore::MayJoin(const Batch& batch, bool writes) const {
  if (!full_) return true;
  if (writes && SteadyNow() < write_at_) return false;
  return batch.request.success_size() == 0 || batch.writes == writes;
}

int EtcdStore::Room(const Batch& batch) const {
  return (alone_ != 0 ? 1 : kMaxOperations / 2) - batch.request.success_size();
}

void EtcdStore::AddOthers(Batch& batch) {
  if (MayJoin(batch, /*writes=*/false)) AddSides(batch);
  if (MayJoin(batch, /*writes=*/true)) {
    AddNotices(batch);
    AddSayings(batch);
    AddClock(batch);
  }
  if (batch.request.success_size() == 0) AddLook(batch);
}

// Behind the calls, and of no channel that has any in the batch: they may drop the keys, and etcd
// refuses one that is written twice. A channel that is passed over has its turn in the next batch.
void EtcdStore::AddSayings(Batch& batch) {
  const int room = Room(batch);
  if (presence_lease_ == 0 || room <= 0) return;
  const TxnContext context = ContextNow();
  const auto in_flight = [flying = &in_flight_](const ChannelKey& key) {
    return flying->contains(key);
  };
  for (const ChannelKey& key :
       presence_.Turn(std::min(kMaxSayings, static_cast<size_t>(room)), in_flight)) {
    const std::optional<ChannelState> state = cache_.Find(key);
    Saying saying{.calls = presence_.Take(key)};
    std::optional<absl::Time> missing_lease;  // none is missing: it is the presence's
    saying.part =
        PlanPart(context, key, state ? &*state : nullptr, saying.calls, kMaxBytes, missing_lease);
    batch.writes |= saying.part->writes();
    *batch.request.add_success()->mutable_request_txn() = saying.part->TakeRequest();
    batch.sayings.push_back(std::move(saying));
  }
}

void EtcdStore::AddSides(Batch& batch) {
  while (!side_calls_.empty() && Room(batch) > 0) {
    batch.request.add_success()->mutable_request_range()->set_key(side_calls_.front().key);
    batch.sides.push_back(std::move(side_calls_.front()));
    side_calls_.pop_front();
  }
}

void EtcdStore::AddNotices(Batch& batch) {
  if (presence_lease_ == 0) return;
  for (auto notice = third_parties_.begin(); notice != third_parties_.end();) {
    if (Room(batch) <= 0) return;
    // A channel's part may drop all its state, and etcd refuses a key that is written twice. Its
    // calls let the notice go first the next time.
    if (in_flight_.contains(notice->first)) {
      passed_over_.insert(notice->first);
      ++notice;
      continue;
    }
    passed_over_.erase(notice->first);
    TxnRequest* const txn = batch.request.add_success()->mutable_request_txn();
    Compare* const exists = txn->add_compare();
    exists->set_key(keys_.Record(notice->first));
    exists->set_target(Compare::CREATE);
    exists->set_result(Compare::GREATER);
    exists->set_create_revision(0);
    etcdserverpb::PutRequest* const put = txn->add_success()->mutable_request_put();
    put->set_key(keys_.Notice(notice->first));
    put->set_value(
        WriteNotice(notice->second.third_parties, notice->second.initiator, options_.relay_id));
    put->set_lease(presence_lease_);
    batch.third_parties.emplace_back(*notice);
    batch.writes = true;
    third_parties_.erase(notice++);
  }
}

}  // namespace wormhole::relay
